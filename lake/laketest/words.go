// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package laketest

// kind says what an operation acts upon.
type kind uint8

const (
	onFile kind = iota
	onMail
	onAccount
	onNothing
)

type operation struct {
	name, workload  string
	class, activity int32
	kind            kind
}

// operations are in order of frequency.
var operations = []operation{
	{"FileAccessed", "SharePoint", 6006, 2, onFile},
	{"MailItemsAccessed", "Exchange", 4009, 0, onMail},
	{"UserLoggedIn", "AzureActiveDirectory", 3002, 1, onNothing},
	{"FileModified", "SharePoint", 6006, 3, onFile},
	{"FilePreviewed", "OneDrive", 6006, 2, onFile},
	{"MessageSent", "MicrosoftTeams", 6003, 1, onNothing},
	{"FileSyncUploadedFull", "OneDrive", 6006, 1, onFile},
	{"FileDownloaded", "SharePoint", 6006, 2, onFile},
	{"Send", "Exchange", 4009, 1, onMail},
	{"UserLoginFailed", "AzureActiveDirectory", 3002, 1, onNothing},
	{"MoveToDeletedItems", "Exchange", 4009, 0, onMail},
	{"PageViewed", "SharePoint", 6001, 2, onFile},
	{"SoftDelete", "Exchange", 4009, 0, onMail},
	{"FileUploaded", "OneDrive", 6006, 1, onFile},
	{"HardDelete", "Exchange", 4009, 0, onMail},
	{"SharingSet", "SharePoint", 6006, 0, onFile},
	{"MemberAdded", "MicrosoftTeams", 3006, 3, onAccount},
	{"FileRenamed", "OneDrive", 6006, 5, onFile},
	{"Update user.", "AzureActiveDirectory", 3001, 0, onAccount},
	{"AnonymousLinkCreated", "SharePoint", 6006, 0, onFile},
	{"Add member to group.", "AzureActiveDirectory", 3006, 3, onAccount},
	{"Set-Mailbox", "Exchange", 3004, 3, onAccount},
	{"FileDeleted", "SharePoint", 6006, 4, onFile},
	{"Reset user password.", "AzureActiveDirectory", 3001, 4, onAccount},
	{"Consent to application.", "AzureActiveDirectory", 3005, 1, onAccount},
	{"Add member to role.", "AzureActiveDirectory", 3005, 1, onAccount},
	{"New-InboxRule", "Exchange", 3004, 1, onAccount},
}

var words = []string{
	"anna", "river", "budget", "north", "maple", "oskar", "invoice", "quarter", "harbor", "linden", "report", "elena", "bridge", "summer",
	"contract", "viktor", "garden", "pricing", "ruth", "canyon", "review", "tobias", "meadow", "roadmap", "clara", "stone", "offer", "henrik",
	"valley", "minutes", "sofia", "castle", "draft", "jonas", "island", "forecast", "marta", "forest", "payroll", "lukas", "winter", "plan",
	"irene", "copper", "survey", "emil", "silver", "launch", "nadia", "orchard", "hiring", "pavel", "lagoon", "agenda", "greta", "prairie",
	"order", "stefan", "summit", "travel", "wanda", "tundra", "claims", "yusuf",
}

var (
	extensions = []string{"docx", "xlsx", "pptx", "pdf", "one", "txt", "png", "csv"}
	countries  = []string{"DE", "US", "FR", "NL", "AT", "CH", "GB", "IE", "IN", "SE", "PL", "ES"}
	apps       = []string{"Office", "Outlook Mobile", "Teams Desktop", "OneDrive Sync", "Browser", "SharePoint Online", "Azure Portal", "PowerShell"}
	failures   = []string{"InvalidUserNameOrPassword", "UserStrongAuthClientAuthNRequired", "AccessDenied", "ConditionalAccessBlocked", "NotFound"}
	agents     = func() (list []string) {
		for _, system := range []string{"Windows NT 10.0; Win64; x64", "Macintosh; Intel Mac OS X 15_6", "X11; Linux x86_64", "iPhone; CPU iPhone OS 19_1 like Mac OS X"} {
			for _, version := range []string{"139", "140", "141", "142", "143", "144", "145", "146", "147", "148", "149", "150"} {
				list = append(list, "Mozilla/5.0 ("+system+") AppleWebKit/537.36 (KHTML, like Gecko) Chrome/"+version+".0.0.0 Safari/537.36")
				list = append(list, "ExampleSync/"+version+" ("+system+")")
			}
		}
		return list
	}()
)
