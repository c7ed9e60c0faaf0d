// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package aws

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/daybreak-sec/daybreak/sim/company"
	"github.com/daybreak-sec/daybreak/sim/record"
)

// event is a record of CloudTrail (AWS CloudTrail user guide, "CloudTrail record contents").
type event struct {
	Version    string         `json:"eventVersion"`
	Who        map[string]any `json:"userIdentity"`
	Time       string         `json:"eventTime"`
	Source     string         `json:"eventSource"`
	Name       string         `json:"eventName"`
	Region     string         `json:"awsRegion"`
	Address    string         `json:"sourceIPAddress"`
	Agent      string         `json:"userAgent"`
	ErrorCode  string         `json:"errorCode,omitempty"`
	ErrorText  string         `json:"errorMessage,omitempty"`
	Request    any            `json:"requestParameters"`
	Response   any            `json:"responseElements"`
	Additional any            `json:"additionalEventData,omitempty"`
	RequestID  string         `json:"requestID,omitempty"`
	EventID    string         `json:"eventID"`
	ReadOnly   bool           `json:"readOnly"`
	Type       string         `json:"eventType"`
	Management bool           `json:"managementEvent"`
	Recipient  string         `json:"recipientAccountId"`
	Category   string         `json:"eventCategory"`

	at time.Time
}

func (e *event) json() []byte {
	text, err := json.Marshal(e)
	if err != nil {
		panic(err) // what we make ourselves
	}
	return text
}

// signIn is what Microsoft's log says of one.
type signIn struct {
	RecordType                        int
	ID, UserID, ClientIP, ErrorNumber string
	ExtendedProperties                []struct{ Name, Value string }
}

const typeSignIn = 15 // AzureActiveDirectoryStsLogon

// people are how many of so many have something to do in AWS.
const people = 4

// happened is what CloudTrail records of a stretch, by region and in the order of its time.
func (s *Server) happened(from, to time.Time) map[string][]*event {
	out := map[string][]*event{}
	add := func(list ...*event) {
		for _, e := range list {
			if !e.at.Before(from) && e.at.Before(to) {
				out[e.Region] = append(out[e.Region], e)
			}
		}
	}
	if s.cfg.Tenant != nil {
		// What somebody does goes on for a while after the sign-in.
		s.cfg.Tenant.Happened(company.AzureActiveDirectory, from.Add(-work), to, func(at, _ time.Time, raw []byte) bool {
			var a signIn
			if json.Unmarshal(raw, &a) == nil && a.RecordType == typeSignIn && !strings.HasPrefix(a.UserID, "svc-") && hash("aws", a.UserID)%people == 0 {
				add(s.session(&a, at.UTC().Truncate(time.Second))...)
			}
			return true
		})
	}
	add(s.machines(from)...)
	for _, list := range out {
		slices.SortFunc(list, func(a, b *event) int { return cmp.Or(a.at.Compare(b.at), strings.Compare(a.EventID, b.EventID)) })
	}
	return out
}

// work is how long people are at work after a sign-in, at most.
const work = 20 * time.Minute

// call is a request that people, or machines, make.
type call struct {
	source, name string
	global, read bool
	params       map[string]any
}

var calls = []call{
	{"ec2", "DescribeInstances", false, true, nil},
	{"ec2", "DescribeSecurityGroups", false, true, nil},
	{"s3", "ListBuckets", true, true, map[string]any{"Host": "s3.amazonaws.com"}},
	{"s3", "GetBucketAcl", false, true, map[string]any{"bucketName": "company-artifacts"}},
	{"iam", "ListUsers", true, true, nil},
	{"iam", "GetRole", true, true, map[string]any{"roleName": "Engineering"}},
	{"logs", "DescribeLogGroups", false, true, nil},
	{"cloudtrail", "DescribeTrails", false, true, nil},
	{"lambda", "ListFunctions20150331", false, true, nil},
	{"lambda", "UpdateFunctionCode20150331v2", false, false, map[string]any{"functionName": "invoices"}},
	{"ec2", "RunInstances", false, false, map[string]any{"instanceType": "t3.medium"}},
	{"ec2", "AuthorizeSecurityGroupIngress", false, false, map[string]any{"groupId": "sg-0f3a"}},
	{"secretsmanager", "GetSecretValue", false, true, map[string]any{"secretId": "billing/database"}},
	{"kms", "Decrypt", false, true, nil},
}

// session is what follows on a sign-in: the role is taken by SAML, the console is entered, and something is done there.
func (s *Server) session(a *signIn, at time.Time) (list []*event) {
	h := hash("session", a.ID)
	if a.ErrorNumber != "0" {
		return nil // nothing of it reaches AWS
	}
	agent := "Mozilla/5.0"
	for _, p := range a.ExtendedProperties {
		if p.Name == "UserAgent" && p.Value != "" {
			agent = p.Value
		}
	}
	role, mail := "Engineering", strings.ToLower(a.UserID)
	if hash("role", mail)%5 == 0 {
		role = "Administration"
	}
	arn := fmt.Sprintf("arn:aws:iam::%s:role/%s", s.cfg.Account, role)
	id := "AROA" + strings.ToUpper(nonce("role", role, s.cfg.Account))
	key := "ASIA" + strings.ToUpper(nonce("key", a.ID))
	provider := fmt.Sprintf("arn:aws:iam::%s:saml-provider/Company", s.cfg.Account)
	saml := s.event(a.ID, "saml", at.Add(time.Second), "sts", "AssumeRoleWithSAML", Global)
	saml.Who = map[string]any{"type": "SAMLUser", "principalId": nonce("provider", s.cfg.Account) + "=:" + mail, "userName": mail, "identityProvider": nonce("provider", s.cfg.Account) + "="}
	saml.Request = map[string]any{"roleArn": arn, "principalArn": provider, "durationSeconds": 3600, "roleSessionName": mail}
	saml.Response = map[string]any{
		"assumedRoleUser": map[string]any{"assumedRoleId": id + ":" + mail, "arn": fmt.Sprintf("arn:aws:sts::%s:assumed-role/%s/%s", s.cfg.Account, role, mail)},
		"credentials":     map[string]any{"accessKeyId": key}, "subject": mail, "subjectType": "persistent", "issuer": "https://sso." + s.cfg.Tenant.Company().Domain(),
	}
	saml.ReadOnly = true
	who := map[string]any{
		"type": "AssumedRole", "principalId": id + ":" + mail, "arn": fmt.Sprintf("arn:aws:sts::%s:assumed-role/%s/%s", s.cfg.Account, role, mail), "accountId": s.cfg.Account, "accessKeyId": key,
		"sessionContext": map[string]any{
			"sessionIssuer": map[string]any{"type": "Role", "principalId": id, "arn": arn, "accountId": s.cfg.Account, "userName": role},
			"attributes":    map[string]any{"creationDate": at.Add(time.Second).Format(time.RFC3339), "mfaAuthenticated": "false"},
		},
	}
	console := s.event(a.ID, "console", at.Add(2*time.Second), "signin", "ConsoleLogin", Global)
	console.Type, console.RequestID, console.Response = "AwsConsoleSignIn", "", map[string]any{"ConsoleLogin": "Success"}
	console.Additional = map[string]any{"MobileVersion": "No", "MFAUsed": "No", "SamlProviderArn": provider}
	console.Who = who
	list = append(list, saml, console)
	for i := range 2 + h%9 {
		h = record.Mix(h, i)
		c := &calls[h%uint64(len(calls))]
		if !c.read && h>>8%3 != 0 {
			continue
		}
		e := s.event(a.ID, fmt.Sprint("call ", i), at.Add(5*time.Second+time.Duration(record.Mix(h, 2)%uint64(work-10*time.Second))).Truncate(time.Second), c.source, c.name, region(c))
		e.Who, e.ReadOnly = who, c.read
		if c.params != nil {
			e.Request = c.params
		}
		if h>>16%20 == 0 {
			e.ErrorCode, e.ErrorText = "AccessDenied", "User: "+fmt.Sprint(who["arn"])+" is not authorized to perform: "+c.source+":"+c.name
		}
		list = append(list, e)
	}
	for _, e := range list {
		e.Address, e.Agent = a.ClientIP, agent
	}
	return list
}

func region(c *call) string {
	if c.global {
		return Global
	}
	return Home
}

// machines are what services do for the company in a stretch, day and night.
func (s *Server) machines(from time.Time) (list []*event) {
	words := from.UTC().Format(time.RFC3339)
	for i, service := range []string{"ec2.amazonaws.com", "lambda.amazonaws.com"} {
		h := hash("machine", service, words)
		if h%3 == 0 {
			continue
		}
		e := s.event(words, service, from.Add(time.Duration(h%uint64(s.cfg.Every))).Truncate(time.Second), "sts", "AssumeRole", Home)
		e.Who = map[string]any{"type": "AWSService", "invokedBy": service}
		e.Address, e.Agent, e.ReadOnly = service, service, true
		e.Request = map[string]any{"roleArn": fmt.Sprintf("arn:aws:iam::%s:role/worker-%d", s.cfg.Account, i), "roleSessionName": fmt.Sprintf("i-%016x", h>>8)}
		e.Response = map[string]any{"credentials": map[string]any{"accessKeyId": "ASIA" + strings.ToUpper(nonce(words, service))}}
		list = append(list, e)
	}
	return list
}

func (s *Server) event(of, what string, at time.Time, source, name, region string) *event {
	id := record.HashText("aws", of, what).String()
	return &event{
		Version: "1.11", Time: at.UTC().Format("2006-01-02T15:04:05Z"), Source: source + ".amazonaws.com", Name: name, Region: region, EventID: id,
		RequestID: record.HashText("request", of, what).String(), Type: "AwsApiCall", Management: true, Recipient: s.cfg.Account, Category: "Management", at: at.UTC(),
	}
}
