// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/daybreak-sec/daybreak/act"
	objects "github.com/daybreak-sec/daybreak/collect/bucket"
	"github.com/daybreak-sec/daybreak/config"
	"github.com/daybreak-sec/daybreak/provider/folder"
)

// shelf collects the files of a folder.
type shelf struct{ *objects.Collector }

// Provider returns what is known of the other side, which is this machine.
func (shelf) Provider() ProviderStatus { return ProviderStatus{Heard: true} }

// files makes the collector of a source of files.
func (s *sources) files(c config.Source, acts *act.Writer, _ webhook) (collector, error) {
	if err := apart(c.Folder, s.n.dir); err != nil {
		return nil, err
	}
	client, err := folder.New(folder.Options{Path: c.Folder, Quiet: c.Quiet.Std()})
	if err != nil {
		return nil, err
	}
	col, err := s.objects(&c, acts, c.Folder, client)
	if err != nil {
		return nil, err
	}
	return shelf{col}, nil
}

// apart refuses a folder that has to do with the data directory: what is written there would be collected, and written again.
func apart(path, data string) error {
	data, err := filepath.Abs(data)
	if err != nil {
		return err
	}
	path, data = resolved(path), resolved(data)
	if within(path, data) || within(data, path) {
		return fmt.Errorf("folder %s and the data directory %s are in one another: what is stored would be collected again, give another folder", path, data)
	}
	return nil
}

// resolved follows links, as far as there is something.
func resolved(path string) string {
	if p, err := filepath.EvalSymlinks(path); err == nil {
		return p
	}
	return filepath.Clean(path)
}

// within reports whether a path is another, or below it.
func within(path, dir string) bool {
	return path == dir || strings.HasPrefix(path, strings.TrimSuffix(dir, string(filepath.Separator))+string(filepath.Separator))
}
