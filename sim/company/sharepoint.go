// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package company

import (
	"strconv"

	"github.com/daybreak-sec/daybreak/sim/record"
)

var sharePointPeople = newDeck([]kind{
	{300, "FileAccessed", (*moment).fileUsed},
	{105, "FileModified", (*moment).fileUsed},
	{90, "FilePreviewed", (*moment).fileUsed},
	{45, "FileModifiedExtended", (*moment).fileUsed},
	{45, "FileAccessedExtended", (*moment).fileUsed},
	{50, "FileDownloaded", (*moment).fileUsed},
	{38, "FileUploaded", (*moment).fileUsed},
	{60, "FileSyncDownloadedFull", (*moment).fileSynced},
	{45, "FileSyncUploadedFull", (*moment).fileSynced},
	{10, "FileSyncDownloadedPartial", (*moment).fileSynced},
	{10, "FileRenamed", (*moment).fileMoved},
	{8, "FileMoved", (*moment).fileMoved},
	{4, "FileCopied", (*moment).fileMoved},
	{14, "FileRecycled", (*moment).fileUsed},
	{2, "FileRestored", (*moment).fileUsed},
	{4, "FileCheckedOut", (*moment).fileUsed},
	{4, "FileCheckedIn", (*moment).fileUsed},
	{5, "FolderCreated", (*moment).folderChanged},
	{3, "FolderModified", (*moment).folderChanged},
	{2, "FolderRenamed", (*moment).folderChanged},
	{85, "PageViewed", (*moment).pageViewed},
	{14, "PageViewedExtended", (*moment).pageViewed},
	{10, "ClientViewSignaled", (*moment).pageViewed},
	{12, "SearchQueryPerformed", (*moment).searched},
	{8, "ListViewed", (*moment).listUsed},
	{8, "ListItemUpdated", (*moment).listUsed},
	{4, "ListItemCreated", (*moment).listUsed},
	{10, "SharingSet", (*moment).sharing},
	{6, "SecureLinkCreated", (*moment).sharing},
	{8, "AddedToSecureLink", (*moment).sharing},
	{9, "SecureLinkUsed", (*moment).sharing},
	{5, "CompanyLinkCreated", (*moment).sharing},
	{8, "CompanyLinkUsed", (*moment).sharing},
	{2, "AnonymousLinkCreated", (*moment).sharing},
	{2, "SharingInvitationCreated", (*moment).sharing},
	{3, "AddedToGroup", (*moment).siteGroup},
	{3, "ManagedSyncClientAllowed", (*moment).syncClient},
})

var sharePointMachines = newDeck([]kind{
	{500, "FileDownloaded", (*moment).fileBackedUp},
	{250, "FileAccessed", (*moment).fileBackedUp},
	{150, "FileModified", (*moment).systemFile},
	{100, "PageViewed", (*moment).monitored},
})

// site is where files are: a person's own place, a team's, a department's or
// one of the company's.
type site struct {
	personal bool
	owner    int // of a personal site; else the number of the team
	id       record.GUID
}

// files is how many a site has.
const (
	files     = 600
	companies = 6 // sites for everybody
)

// place finds the site that the person works in now. Team sites are numbered
// by the team's manager; those of departments come before.
func (m *moment) where() site {
	c := m.c
	switch u := m.n(100); {
	case u < 38:
		return c.personalSite(m.who)
	case u < 43: // somebody has shared theirs
		return c.personalSite(m.colleague())
	case u < 80:
		return c.teamSite(companies + len(departments) + max(manager(m.who), 0))
	case u < 92:
		return c.teamSite(companies + c.department(m.who))
	}
	return c.teamSite(m.few(companies))
}

func (c *Company) personalSite(n int) site {
	return site{personal: true, owner: n, id: record.Hash(c.seed, tagSite, 1, uint64(n))}
}

func (c *Company) teamSite(n int) site {
	return site{owner: n, id: record.Hash(c.seed, tagSite, 0, uint64(n))}
}

var companySites = [companies]string{"intranet", "policies", "brand-center", "it-help", "events", "projects-office"}

// addURL appends the address of a site, without a slash at its end.
func (m *moment) addURL(s site) {
	m.add("https://")
	m.add(m.c.brand)
	if s.personal {
		m.add("-my.sharepoint.example/personal/")
		at := len(m.w)
		m.addUPN(s.owner)
		for i := at; i < len(m.w); i++ {
			if m.w[i] == '.' || m.w[i] == '@' {
				m.w[i] = '_'
			}
		}
		return
	}
	m.add(".sharepoint.example/sites/")
	m.addSiteName(s)
}

func (m *moment) addSiteName(s site) {
	switch n := s.owner - companies; {
	case n < 0:
		m.add(companySites[s.owner])
	case n < len(departments):
		m.add(departmentSites[n])
	default:
		manager := n - len(departments)
		m.add(departmentSites[m.c.department(manager)])
		m.add("-")
		m.add(teamWords[m.c.hash(tagTeam, uint64(manager))%uint64(len(teamWords))])
		m.add("-")
		m.addInt(manager)
	}
}

var departmentSites = []string{"finance", "it", "sales", "operations", "research", "engineering", "people", "marketing", "legal", "procurement", "service", "facilities"}

var teamWords = []string{"amber", "birch", "cobalt", "delta", "ember", "fjord", "granite", "harvest", "indigo", "juniper", "kestrel", "lagoon", "meadow", "north", "orchid", "pepper"}

// topics of a site's files.
func (m *moment) topics(s site) []string {
	n := s.owner
	if s.personal {
		n = m.c.department(s.owner)
	} else if n -= companies; n >= len(departments) {
		n = m.c.department(n - len(departments))
	}
	return departments[max(n, 0)].topics
}

// file is one file of a site. What is popular is used by many: low numbers.
type file struct {
	site   site
	hash   uint64
	folder uint64
}

func (m *moment) file(s site) file {
	h := record.Mix(record.Mix(m.c.seed+tagFile, uint64(s.owner)), uint64(m.few(files)))
	if s.personal {
		h = record.Mix(h, 1)
	}
	return file{site: s, hash: h, folder: h >> 40 % 24}
}

func (f *file) id(c *Company) record.GUID { return record.Hash(c.seed, tagFile, f.hash) }

var (
	endings  = []string{"docx", "xlsx", "pptx", "pdf", "docx", "xlsx", "one", "csv", "txt", "png", "vsdx", "msg"}
	adjuncts = []string{"", "draft", "final", "v2", "v3", "summary", "template", "copy", "notes", "overview"}
	docWords = []string{"report", "plan", "minutes", "figures", "checklist", "summary", "overview", "agenda", "proposal", "analysis", "letter", "presentation"}
)

// appendFileName appends a name that follows from a hash.
func appendFileName(dst []byte, h uint64) []byte {
	d := &departments[h%uint64(len(departments))]
	dst = append(dst, d.topics[h>>6%uint64(len(d.topics))]...)
	dst = append(append(dst, '-'), docWords[h>>10%uint64(len(docWords))]...)
	dst = strconv.AppendInt(append(dst, '-'), int64(2019+h>>16%8), 10)
	if a := adjuncts[h>>20%uint64(len(adjuncts))]; a != "" {
		dst = append(append(dst, '-'), a...)
	}
	if h>>26%4 == 0 {
		dst = strconv.AppendInt(append(dst, ' ', '('), int64(1+h>>28%9), 10)
		dst = append(dst, ')')
	}
	return append(append(dst, '.'), extension(h)...)
}

func extension(h uint64) string { return endings[h>>32%uint64(len(endings))] }

// addName appends the file's name.
func (m *moment) addFile(f *file) { m.w = appendFileName(m.w, f.hash) }

// addFolder appends the path of the file's folder within its site.
func (m *moment) addFolder(f *file) {
	if f.site.personal {
		m.add("Documents")
	} else {
		m.add("Shared Documents")
	}
	if f.folder == 0 {
		return
	}
	topics := m.topics(f.site)
	m.add("/")
	m.add(topics[f.folder%uint64(len(topics))])
	if f.folder > 8 {
		m.add("/")
		m.addInt(2020 + int(f.folder%7))
	}
	if f.folder > 18 {
		m.add("/")
		m.add(docWords[f.folder%uint64(len(docWords))])
	}
}

func (m *moment) workload(s site) string {
	if s.personal {
		return "OneDrive"
	}
	return "SharePoint"
}

// fileHead writes a record of a file up to the ids of its place.
func (m *moment) fileHead(op string, recordType int, f *file, app *application) {
	c := m.c
	m.head(op, recordType, "")
	m.user(keyMembership, 0, m.workload(f.site))
	m.ip("ClientIP", m.addr)
	m.open("ObjectId")
	m.addURL(f.site)
	m.add("/")
	m.addFolder(f)
	m.add("/")
	m.addFile(f)
	m.shut()
	m.upn("UserId", m.who)
	m.context(contextSharePoint, app)
	m.str("AuthenticationType", "OAuth")
	m.browser(app)
	m.id("CorrelationId", m.correlation())
	m.str("EventSource", "SharePoint")
	if len(m.c.offices) > 5 && m.chance(2) { // a tenant with data in many regions
		m.str("GeoLocation", m.geo())
	}
	m.yes("IsManagedDevice", m.dev.managed)
	m.str("ItemType", "File")
	m.id("ListId", f.site.list())
	m.id("ListItemUniqueId", f.id(c))
	m.str("Platform", m.platform())
	m.id("Site", f.site.id)
	m.agent(app)
	m.id("WebId", f.site.web())
}

func (s site) list() record.GUID { return record.Hash(uint64(s.id[0])<<56|tagSite, hashOf(s.id)) }

func (s site) web() record.GUID { return record.Hash(tagSite+1, hashOf(s.id)) }

// hashOf makes an id a number again.
func hashOf(id record.GUID) (h uint64) {
	for _, b := range id[8:] {
		h = h<<8 | uint64(b)
	}
	return h
}

// geo is where the tenant's data of an office is kept.
func (m *moment) geo() string {
	switch m.desk.Country {
	case "US":
		return "NAM"
	case "IN", "SG":
		return "APC"
	case "BR":
		return "LAM"
	case "AU":
		return "AUS"
	}
	return "EUR"
}

func (m *moment) platform() string {
	switch {
	case m.dev.kind == phone && m.dev.model.os[0] == 'I':
		return "IOS"
	case m.dev.kind == phone:
		return "Android"
	case m.dev.model.os == "MacOs":
		return "MacOS"
	}
	return "WinDesktop"
}

// browser writes the browser, which applications that are none leave empty.
func (m *moment) browser(app *application) {
	if app == appOffice {
		m.str("BrowserName", "")
		m.str("BrowserVersion", "")
		return
	}
	m.str("BrowserName", m.dev.model.browser)
	m.str("BrowserVersion", m.dev.model.version)
}

// agent writes what the application says of itself.
func (m *moment) agent(app *application) {
	switch {
	case m.dev.kind == phone && app == appOffice:
		m.str("UserAgent", "Microsoft Office Mobile/2.103 (Mobile)")
	case app == appOffice:
		m.str("UserAgent", "Microsoft Office Word/16.0.19328 (Windows/10.0; Desktop x64; en-US; Desktop app; Dell Inc./Latitude 5450)")
	case app == appOneDrive:
		m.str("UserAgent", "Microsoft SkyDriveSync 25.199.1012.0002 ship; Windows NT 10.0 (26100)")
	case app == appTeams:
		m.open("UserAgent")
		m.add(m.dev.model.agent)
		m.add(" Teams/25290.205.4069.4894/49")
		m.shut()
	default:
		m.str("UserAgent", m.dev.model.agent)
	}
}

// fileTail writes the names of a file and ends the record.
func (m *moment) fileTail(f *file, app *application) {
	m.open("DeviceDisplayName")
	if m.dev.trust != "" {
		m.w = m.dev.appendName(m.w)
	} else {
		m.addAddr(m.addr)
	}
	m.shut()
	m.yes("HighPriorityMediaProcessing", false)
	m.fileNames(f)
	if m.chance(3) {
		m.str("ApplicationDisplayName", app.name)
	}
	m.done()
}

func (m *moment) fileNames(f *file) {
	m.str("SourceFileExtension", extension(f.hash))
	m.open("SiteUrl")
	m.addURL(f.site)
	m.add("/")
	m.shut()
	m.open("SourceFileName")
	m.addFile(f)
	m.shut()
	m.open("SourceRelativeUrl")
	m.addFolder(f)
	m.shut()
}

var fileApps = []*application{appOffice, appOffice, appOfficeWeb, appOfficeWeb, appTeams, appSharePoint}

func (m *moment) fileUsed(op string) {
	f := m.file(m.where())
	app := pick(m, fileApps)
	m.fileHead(op, typeSharePointFile, &f, app)
	if op == "FileUploaded" || op == "FileDownloaded" {
		m.num("FileSizeBytes", 2000+int(f.hash>>12%8_000_000))
	}
	m.fileTail(&f, app)
}

func (m *moment) fileSynced(op string) {
	f := m.file(m.where())
	c := m.c
	m.head(op, typeSharePointFile, "")
	m.user(keyMembership, 0, m.workload(f.site))
	m.ip("ClientIP", m.addr)
	m.open("ObjectId")
	m.addURL(f.site)
	m.add("/")
	m.addFolder(&f)
	m.add("/")
	m.addFile(&f)
	m.shut()
	m.upn("UserId", m.who)
	m.context(contextSharePoint, appOneDrive)
	m.str("AuthenticationType", "OAuth")
	m.id("CorrelationId", m.correlation())
	m.str("EventSource", "SharePoint")
	m.yes("IsManagedDevice", m.dev.managed)
	m.str("ItemType", "File")
	m.id("ListId", f.site.list())
	m.id("ListItemUniqueId", f.id(c))
	m.str("Platform", m.platform())
	m.id("Site", f.site.id)
	m.agent(appOneDrive)
	m.id("WebId", f.site.web())
	m.id("MachineDomainInfo", c.tenant)
	m.id("MachineId", m.dev.id)
	m.open("FileSyncBytesCommitted")
	m.addInt(2000 + int(f.hash>>12%8_000_000))
	m.shut()
	m.yes("HighPriorityMediaProcessing", false)
	m.fileNames(&f)
	m.done()
}

func (m *moment) fileMoved(op string) {
	f := m.file(m.where())
	app := pick(m, fileApps)
	m.fileHead(op, typeSharePointFile, &f, app)
	to := f
	if op == "FileRenamed" {
		to.hash = f.hash ^ m.next()%1024<<20 // another year and another ending of the name
	} else {
		to.folder = (f.folder + 1 + uint64(m.n(20))) % 24
	}
	m.str("DestinationFileExtension", extension(to.hash))
	m.open("DestinationFileName")
	m.addFile(&to)
	m.shut()
	m.open("DestinationRelativeUrl")
	m.addFolder(&to)
	m.shut()
	m.fileTail(&f, app)
}

func (m *moment) folderChanged(op string) {
	f := m.file(m.where())
	f.folder = 1 + uint64(m.n(23))
	c := m.c
	m.head(op, typeSharePointFile, "")
	m.user(keyMembership, 0, m.workload(f.site))
	m.ip("ClientIP", m.addr)
	m.open("ObjectId")
	m.addURL(f.site)
	m.add("/")
	m.addFolder(&f)
	m.shut()
	m.upn("UserId", m.who)
	m.context(contextSharePoint, appSharePoint)
	m.id("CorrelationId", m.correlation())
	m.str("EventSource", "SharePoint")
	m.yes("IsManagedDevice", m.dev.managed)
	m.str("ItemType", "Folder")
	m.id("ListId", f.site.list())
	m.id("ListItemUniqueId", record.Hash(c.seed, tagFile, hashOf(f.site.id), f.folder))
	m.str("Platform", m.platform())
	m.id("Site", f.site.id)
	m.str("UserAgent", m.dev.model.agent)
	m.id("WebId", f.site.web())
	m.open("SiteUrl")
	m.addURL(f.site)
	m.add("/")
	m.shut()
	m.str("SourceFileName", m.topics(f.site)[f.folder%6])
	m.open("SourceRelativeUrl")
	m.addFolder(&f)
	m.shut()
	m.done()
}

// siteHead writes a record of something that is no file, up to the ids of the site.
func (m *moment) siteHead(op string, recordType int, s site, item string, object func()) {
	m.head(op, recordType, "")
	m.user(keyMembership, 0, m.workload(s))
	m.ip("ClientIP", m.addr)
	m.open("ObjectId")
	m.addURL(s)
	object()
	m.shut()
	m.upn("UserId", m.who)
	m.context(contextSharePoint, appSharePoint)
	m.str("AuthenticationType", "OAuth")
	m.str("BrowserName", m.dev.model.browser)
	m.str("BrowserVersion", m.dev.model.version)
	m.id("CorrelationId", m.correlation())
	m.str("EventSource", "SharePoint")
	m.yes("IsManagedDevice", m.dev.managed)
	m.str("ItemType", item)
	m.str("Platform", m.platform())
	m.id("Site", s.id)
	m.str("UserAgent", m.dev.model.agent)
	m.id("WebId", s.web())
}

var pages = []string{"Home", "News", "Team", "Welcome", "How-we-work", "Calendar", "Contacts", "Archive"}

func (m *moment) pageViewed(op string) {
	s := m.where()
	page := m.few(len(pages))
	m.siteHead(op, typeSharePoint, s, "Page", func() {
		m.add("/SitePages/")
		m.add(pages[page])
		m.add(".aspx")
	})
	m.id("ListItemUniqueId", record.Hash(hashOf(s.id), tagSite, uint64(page)))
	m.done()
}

func (m *moment) searched(op string) {
	s := m.where()
	m.siteHead(op, typeSharePoint, s, "Page", func() { m.add("/_layouts/15/search.aspx") })
	m.open("EventData")
	m.add("<SearchQuery>")
	topics := m.topics(s)
	m.add(pick(m, topics))
	m.add(" ")
	m.add(pick(m, docWords))
	m.add("</SearchQuery>")
	m.shut()
	m.done()
}

var lists = []string{"Tasks", "Issues", "Contacts", "Assets", "Visitors", "Requests"}

func (m *moment) listUsed(op string) {
	s := m.where()
	list := m.n(len(lists))
	recordType, item := typeListItem, "ListItem"
	if op == "ListViewed" {
		recordType, item = typeList, "List"
	}
	m.siteHead(op, recordType, s, item, func() {
		m.add("/Lists/")
		m.add(lists[list])
	})
	m.yes("IsHiddenList", false)
	m.num("ListBaseTemplateType", 100)
	m.str("ListBaseType", "GenericList")
	m.id("ListId", record.Hash(hashOf(s.id), tagSite, 100+uint64(list)))
	if op != "ListViewed" {
		m.id("ListItemUniqueId", record.Hash(hashOf(s.id), tagSite, uint64(list), uint64(m.n(300))))
	}
	m.str("ListTitle", lists[list])
	m.open("ListUrl")
	m.addURL(s)
	m.add("/Lists/")
	m.add(lists[list])
	m.shut()
	m.done()
}

// partners are people outside that files are shared with.
var partners = []string{"procurement@tollgate.example", "a.winters@harrowgate.example", "legal@pennant.example", "j.brandt@rookery.example", "projects@saltmarsh.example"}

func (m *moment) sharing(op string) {
	f := m.file(m.where())
	app := pick(m, fileApps)
	m.fileHead(op, typeSharing, &f, app)
	m.open("DeviceDisplayName")
	if m.dev.trust != "" {
		m.w = m.dev.appendName(m.w)
	} else {
		m.addAddr(m.addr)
	}
	m.shut()
	link := record.Hash(m.c.seed, tagFile, f.hash, 9)
	rights := pick(m, []string{"Edit", "View", "View"})
	m.open("EventData")
	switch op {
	case "SharingSet":
		m.add("<Permissions granted>")
		m.add(pick(m, []string{"Contribute", "Read", "Full Control"}))
		m.add("</Permissions granted><MembersCanShareApplied>False</MembersCanShareApplied>")
	default:
		m.add("<Type>")
		m.add(rights)
		m.add("</Type><MembersCanShareApplied>False</MembersCanShareApplied>")
	}
	m.shut()
	m.fileNames(&f)
	switch op {
	case "SharingSet", "AddedToSecureLink":
		m.upn("TargetUserOrGroupName", m.colleague())
		m.str("TargetUserOrGroupType", "Member")
	case "SharingInvitationCreated":
		m.str("TargetUserOrGroupName", pick(m, partners))
		m.str("TargetUserOrGroupType", "Guest")
	}
	m.id("UniqueSharingId", link)
	m.str("ApplicationDisplayName", app.name)
	m.done()
}

func (m *moment) siteGroup(op string) {
	s := m.where()
	m.siteHead(op, typeSharing, s, "Web", func() {})
	m.open("EventData")
	m.add("<Group>")
	if s.personal {
		m.add("Limited Access System Group")
	} else {
		m.addSiteName(s)
		m.add(" Members")
	}
	m.add("</Group>")
	m.shut()
	m.open("SiteUrl")
	m.addURL(s)
	m.shut()
	m.upn("TargetUserOrGroupName", m.colleague())
	m.str("TargetUserOrGroupType", "Member")
	m.done()
}

func (m *moment) syncClient(op string) {
	s := m.where()
	m.siteHead(op, typeSharePoint, s, "Site", func() {})
	m.id("MachineDomainInfo", m.c.tenant)
	m.id("MachineId", m.dev.id)
	m.done()
}

// Machines.

// anywhere is the site of somebody, for applications that go through all.
func (m *moment) anywhere() site {
	m.who = m.n(m.c.people)
	m.desk = m.c.officeOf(m.who)
	return m.where()
}

func (m *moment) appFile(op, key, account string, f *file, service int) {
	m.head(op, typeSharePointFile, "")
	m.str("UserKey", key)
	m.num("UserType", 5)
	m.num("Version", 1)
	m.str("Workload", m.workload(f.site))
	if service >= 0 {
		m.ip("ClientIP", m.c.ServiceAddress(service*4+m.n(4)))
	} else {
		m.ip("ClientIP", front(m.base))
	}
	m.open("ObjectId")
	m.addURL(f.site)
	m.add("/")
	m.addFolder(f)
	m.add("/")
	m.addFile(f)
	m.shut()
	m.str("UserId", account)
	m.w.Object("AppAccessContext")
	if service >= 0 {
		m.id("ClientAppId", m.c.serviceApp(service))
		m.str("ClientAppName", serviceNames[service].name)
	}
	m.id("CorrelationId", m.correlation())
	m.w.EndObject()
	if service >= 0 {
		m.id("ApplicationId", m.c.serviceApp(service))
		m.str("AuthenticationType", "OAuth")
	}
	m.id("CorrelationId", m.correlation())
	m.str("EventSource", "SharePoint")
	m.yes("IsManagedDevice", false)
	m.str("ItemType", "File")
	m.id("ListId", f.site.list())
	m.id("ListItemUniqueId", f.id(m.c))
	m.id("Site", f.site.id)
	if service >= 0 {
		m.str("UserAgent", serviceNames[service].agent)
	}
	m.id("WebId", f.site.web())
	m.num("FileSizeBytes", 2000+int(f.hash>>12%8_000_000))
	m.yes("HighPriorityMediaProcessing", false)
	m.fileNames(f)
	if service >= 0 {
		m.str("ApplicationDisplayName", serviceNames[service].name)
	}
	m.done()
}

func (m *moment) fileBackedUp(op string) {
	f := m.file(m.anywhere())
	m.appFile(op, "i:0i.t|00000003-0000-0ff1-ce00-000000000000|app@sharepoint", "app@sharepoint", &f, serviceBackup)
}

func (m *moment) systemFile(op string) {
	f := m.file(m.anywhere())
	m.appFile(op, "S-1-0-0", "SHAREPOINT\\system", &f, -1)
}

// monitored is a probe that looks whether the intranet is there.
func (m *moment) monitored(op string) {
	s := m.c.teamSite(m.n(companies))
	m.head(op, typeSharePoint, "")
	m.str("UserKey", "i:0i.t|00000003-0000-0ff1-ce00-000000000000|app@sharepoint")
	m.num("UserType", 5)
	m.num("Version", 1)
	m.str("Workload", "SharePoint")
	m.ip("ClientIP", m.c.ServiceAddress(serviceMonitor*4))
	m.open("ObjectId")
	m.addURL(s)
	m.add("/SitePages/Home.aspx")
	m.shut()
	m.str("UserId", "app@sharepoint")
	m.w.Object("AppAccessContext")
	m.id("ClientAppId", m.c.serviceApp(serviceMonitor))
	m.str("ClientAppName", serviceNames[serviceMonitor].name)
	m.id("CorrelationId", m.correlation())
	m.w.EndObject()
	m.id("CorrelationId", m.correlation())
	m.str("EventSource", "SharePoint")
	m.yes("IsManagedDevice", false)
	m.str("ItemType", "Page")
	m.id("Site", s.id)
	m.str("UserAgent", serviceNames[serviceMonitor].agent)
	m.id("WebId", s.web())
	m.done()
}
