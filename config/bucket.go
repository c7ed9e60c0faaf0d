// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

var (
	awsAccountForm  = regexp.MustCompile(`^([0-9]{12}|o-[a-z0-9]{10,32})$`)
	bucketOwnerForm = regexp.MustCompile(`^[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?$`)
	// Amazon S3 user guide, "General purpose bucket naming rules"; compatible stores take capitals and _ as well.
	bucketForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]$`)
	regionForm = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)
	roleForm   = regexp.MustCompile(`^arn:aws[a-z-]*:iam::[0-9]{12}:role/[!-~]{1,512}$`)
)

func awsAccount(id string) string {
	switch {
	case id == "":
		return "tenant is missing: give the number of the AWS account, 12 digits, or of an organization trail the organization's id, which begins with o-"
	case !awsAccountForm.MatchString(id):
		return "tenant is no AWS account: give its number, 12 digits, or of an organization trail the organization's id, which begins with o-"
	}
	return ""
}

func bucketOwner(id string) string {
	switch {
	case id == "":
		return "tenant is missing: give a name for whose records they are, such as the bucket's"
	case !bucketOwnerForm.MatchString(id):
		return "tenant must be 1 to 64 characters of a to z, 0 to 9, dot, _ and -"
	}
	return ""
}

// checkBucket checks what a source of a bucket has.
func (s *Source) checkBucket() (key, msg string) {
	switch {
	case s.Bucket == "":
		return "bucket", "bucket is missing: give the name of the bucket"
	case !bucketForm.MatchString(s.Bucket):
		return "bucket", "bucket is no name of a bucket: give it without s3:// and without a prefix"
	case s.Region == "":
		return "region", `region is missing: give the bucket's, such as "eu-west-1"`
	case !regionForm.MatchString(s.Region):
		return "region", `region is no name of a region: want one such as "eu-west-1"`
	case s.SinceDays < 1 || s.SinceDays > 7300:
		return "since_days", "since_days must be between 1 and 7300"
	case len(s.Prefix) > 512 || strings.HasPrefix(s.Prefix, "/") || strings.Contains(s.Prefix, "AWSLogs/"):
		return "prefix", "prefix is what stands before AWSLogs/ in the keys: give it alone, without a slash before it"
	case s.RoleARN != "" && !roleForm.MatchString(s.RoleARN):
		return "role_arn", "role_arn is no ARN of a role: want arn:aws:iam::ACCOUNT:role/NAME"
	case s.ExternalID != "" && s.RoleARN == "":
		return "external_id", "external_id goes with a role: give role_arn, or leave it out"
	}
	return s.checkPrefixes()
}

// checkFolder checks what a source of files has.
func (s *Source) checkFolder() (key, msg string) {
	switch {
	case s.Folder == "":
		return "folder", "folder is missing: give the absolute path of the folder that the files are in"
	case !filepath.IsAbs(s.Folder) || filepath.Clean(s.Folder) == string(filepath.Separator):
		return "folder", "folder must be the absolute path of a folder, and not the root"
	case s.Quiet < Duration(time.Second) || s.Quiet > Duration(24*time.Hour):
		return "quiet", `quiet must be between "1s" and "24h"`
	case s.SinceDays < 1 || s.SinceDays > 7300:
		return "since_days", "since_days must be between 1 and 7300"
	}
	return s.checkPrefixes()
}

func (s *Source) checkPrefixes() (key, msg string) {
	for i, p := range s.Prefixes {
		switch {
		case len(p) > 512 || p == "" || strings.HasPrefix(p, "/"):
			return "prefixes", "a prefix must have 1 to 512 bytes, and no slash before it; leave prefixes out to collect all"
		case slices.ContainsFunc(s.Prefixes[:i], func(q string) bool { return strings.HasPrefix(p, q) || strings.HasPrefix(q, p) }):
			return "prefixes", fmt.Sprintf("%.60q and another prefix have keys in common: leave the longer one out", p)
		}
	}
	return "", ""
}

// checkAccessKey checks that a key id and a secret are given together, or neither. first is the credential that is given.
func (s *Source) checkAccessKey(first string) (key, msg string) {
	switch {
	case s.AccessKeyID == "" && first != "":
		return "access_key_id", "access_key_id is missing: a secret is of one; leave both out to use what the AWS SDK finds"
	case s.AccessKeyID != "" && first == "":
		return "secret_access_key", "secret_access_key is missing: say where the secret is, as env:NAME, file:PATH or command:/PROGRAM ARG…"
	}
	return "", ""
}
