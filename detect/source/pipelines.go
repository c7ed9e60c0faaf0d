// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"embed"
	"fmt"
	"io/fs"

	"github.com/daybreak-sec/daybreak/detect/sigma"
)

//go:embed pipelines/*.yml
var files embed.FS

// Pipelines returns the pipelines that come with Daybreak: public rules for Microsoft 365,
// Azure, Okta, GitHub, Google, Amazon and Windows, as they are, find their fields in records
// as they come. Their documentation is in the files, and in docs/reference/pipelines.md.
// A user's own are joined to them by [sigma.Chain].
func Pipelines() []*sigma.Pipeline {
	names, err := fs.Glob(files, "pipelines/*.yml")
	if err != nil {
		panic(err)
	}
	var all []*sigma.Pipeline
	for _, name := range names {
		text, err := files.ReadFile(name)
		if err != nil {
			panic(err)
		}
		p, problems := sigma.ParsePipeline(name, text)
		if len(problems) > 0 { // a test loads them all
			panic(fmt.Sprintf("built-in pipeline: %v", problems[0]))
		}
		all = append(all, p)
	}
	return all
}
