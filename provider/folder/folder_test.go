// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package folder_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/provider/budget"
	"github.com/daybreak-sec/daybreak/provider/folder"
	"github.com/daybreak-sec/daybreak/provider/rest"
	"github.com/daybreak-sec/daybreak/provider/s3"
)

const quiet = time.Minute

// open makes a folder with files of some contents, and a client whose clock is an hour ahead.
func open(t *testing.T, files map[string]string) (dir string, c *folder.Client) {
	t.Helper()
	dir = t.TempDir()
	for name, text := range files {
		write(t, filepath.Join(dir, name), text)
	}
	c, err := folder.New(folder.Options{Path: dir, Quiet: quiet, Now: func() time.Time { return time.Now().Add(time.Hour) }})
	if err != nil {
		t.Fatal(err)
	}
	return dir, c
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// list reads all pages.
func list(t *testing.T, c *folder.Client, q s3.Query) (objects []s3.Object) {
	t.Helper()
	for {
		page, err := c.List(t.Context(), budget.Head, q)
		if err != nil {
			t.Fatal(err)
		}
		objects = append(objects, page.Objects...)
		if q.Next = page.Next; q.Next == "" {
			return objects
		}
	}
}

func keys(list []s3.Object) (keys []string) {
	for _, o := range list {
		keys = append(keys, o.Key)
	}
	return keys
}

// TestListing: whatever the names, all files come once, in the order of their keys, from any key on and with any prefix.
func TestListing(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	parts := []string{"a", "a-b", "a.b", "a0", "b", "ä", "x%y", "new\nline", "\xff\xfe", "2026", "07"}
	files := map[string]string{}
	for range 3000 {
		var path []string
		for range 1 + r.IntN(4) {
			path = append(path, parts[r.IntN(len(parts))])
		}
		path = append(path, fmt.Sprintf("%d.json", r.IntN(60)))
		files[strings.Join(path, "/")] = "{}"
	}
	_, c := open(t, files)
	all := keys(list(t, c, s3.Query{}))
	if len(all) != len(files) || len(all) < 2*1000 || !slices.IsSorted(all) || len(slices.Compact(slices.Clone(all))) != len(all) {
		t.Fatalf("%d keys of %d files, sorted: %v", len(all), len(files), slices.IsSorted(all))
	}
	for range 50 {
		after := all[r.IntN(len(all))]
		prefix := all[r.IntN(len(all))]
		prefix = prefix[:r.IntN(len(prefix))]
		var want []string
		for _, k := range all {
			if k > after && strings.HasPrefix(k, prefix) {
				want = append(want, k)
			}
		}
		if got := keys(list(t, c, s3.Query{After: after, Prefix: prefix})); !slices.Equal(got, want) {
			t.Errorf("after %q with %q: %d keys, want %d", after, prefix, len(got), len(want))
		}
	}
	for _, k := range all[:200] {
		body, err := c.Get(t.Context(), budget.Head, k, "")
		if err != nil {
			t.Fatal(err)
		}
		if text, err := io.ReadAll(body); err != nil || string(text) != "{}" {
			t.Errorf("%q holds %q, %v", k, text, err)
		}
		body.Close()
	}
}

// TestWhatIsLeftOut: links, pipes, and hidden files are not listed, and no key leads out of the folder.
func TestWhatIsLeftOut(t *testing.T) {
	t.Parallel()
	dir, c := open(t, map[string]string{"in.json": "{}", ".hidden.json": "{}", "sub/.part": "{}", "sub/deep.json": "{}"})
	secret := filepath.Join(t.TempDir(), "secret")
	write(t, secret, "top secret")
	for name, to := range map[string]string{"link": secret, "sub/up": "..", "out": filepath.Dir(secret)} {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, want := keys(list(t, c, s3.Query{})), []string{"in.json", "sub/deep.json"}; !slices.Equal(got, want) {
		t.Errorf("keys are %q: want %q", got, want)
	}
	page, err := c.List(t.Context(), budget.Head, s3.Query{Delimiter: "/"})
	if err != nil || !slices.Equal(keys(page.Objects), []string{"in.json"}) || !slices.Equal(page.Prefixes, []string{"sub/"}) {
		t.Errorf("one level is %+v, %v", page, err)
	}
	for _, key := range []string{"link", "out/secret", "../" + filepath.Base(dir) + "/in.json", secret, "%2e%2e/x", "pipe", "sub", "%zz"} {
		if body, err := c.Get(t.Context(), budget.Head, key, ""); err == nil {
			text, _ := io.ReadAll(body)
			t.Errorf("%q can be read: %q", key, text)
		} else if e := (*rest.Error)(nil); !errors.As(err, &e) || strings.Contains(e.Error(), "top secret") {
			t.Errorf("%q: %v", key, err)
		}
	}
}

// TestQuiet: a file that somebody may be writing to is not listed, and the listing is as of before that.
func TestQuiet(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a"), "1")
	info, err := os.Stat(filepath.Join(dir, "a"))
	if err != nil {
		t.Fatal(err)
	}
	for ahead, want := range map[time.Duration]int{0: 0, quiet - time.Second: 0, quiet + 5*time.Second: 1} {
		now := info.ModTime().Add(ahead)
		c, err := folder.New(folder.Options{Path: dir, Quiet: quiet, Now: func() time.Time { return now }})
		if err != nil {
			t.Fatal(err)
		}
		page, err := c.List(t.Context(), budget.Head, s3.Query{})
		if err != nil || len(page.Objects) != want || page.At.After(now.Add(-quiet)) {
			t.Errorf("%v later: %+v, %v", ahead, page, err)
		}
	}
	// One that is moved in counts as of then, however old its content is.
	old := time.Now().Add(-1000 * time.Hour)
	if err := os.Chtimes(filepath.Join(dir, "a"), old, old); err != nil {
		t.Fatal(err)
	}
	later, err := folder.New(folder.Options{Path: dir, Quiet: quiet, Now: func() time.Time { return time.Now().Add(time.Hour) }})
	if err != nil {
		t.Fatal(err)
	}
	if got := list(t, later, s3.Query{}); len(got) != 1 || time.Since(got[0].Modified) > time.Hour {
		t.Errorf("it was taken in at %+v", got)
	}
}

// TestWrittenTo: a file that was written to since it was listed, or while it is read, is not taken for what was listed.
func TestWrittenTo(t *testing.T) {
	t.Parallel()
	dir, c := open(t, map[string]string{"log": "one\n"})
	o := list(t, c, s3.Query{})[0]
	body, err := c.Get(t.Context(), budget.Head, o.Key, o.ETag)
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	if body.Size != 4 || body.ETag != o.ETag {
		t.Errorf("body is %+v", body)
	}
	write(t, filepath.Join(dir, "log"), "one\ntwo\n")
	if text, err := io.ReadAll(body); err == nil {
		t.Errorf("%q was read in peace", text)
	}
	if _, err := c.Get(t.Context(), budget.Head, o.Key, o.ETag); classOf(err) != rest.ClassExpired {
		t.Errorf("error is %v", err)
	}
	if err := os.Remove(filepath.Join(dir, "log")); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Get(t.Context(), budget.Head, o.Key, o.ETag); classOf(err) != rest.ClassMissing {
		t.Errorf("error is %v", err)
	}
}

func classOf(err error) rest.Class {
	if e := (*rest.Error)(nil); errors.As(err, &e) {
		return e.Class
	}
	return 255
}

// TestNoFolder: what is wrong with a folder is said, and not that it is empty.
func TestNoFolder(t *testing.T) {
	t.Parallel()
	dir, _ := open(t, map[string]string{"file": ""})
	for path, want := range map[string]string{"none": "there is no folder", "file": "is no folder"} {
		c, err := folder.New(folder.Options{Path: filepath.Join(dir, path), Quiet: quiet})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.List(t.Context(), budget.Head, s3.Query{}); classOf(err) != rest.ClassAdmin || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if os.Geteuid() != 0 {
		if err := os.Chmod(dir, 0); err != nil {
			t.Fatal(err)
		}
		defer os.Chmod(dir, 0o700) //nolint:errcheck // for the cleanup
		c, _ := folder.New(folder.Options{Path: dir, Quiet: quiet})
		if _, err := c.List(t.Context(), budget.Head, s3.Query{}); classOf(err) != rest.ClassAdmin {
			t.Errorf("error is %v", err)
		}
	}
	long := strings.Repeat(strings.Repeat("x", 200)+"/", 6)
	dir, c := open(t, map[string]string{long + "file": ""})
	if _, err := c.List(t.Context(), budget.Head, s3.Query{}); classOf(err) != rest.ClassHostile {
		t.Errorf("%s: %v", dir, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.List(ctx, budget.Head, s3.Query{}); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v", err)
	}
	if _, err := folder.New(folder.Options{Path: dir}); err == nil {
		t.Error("files may be read while they are written")
	}
}
