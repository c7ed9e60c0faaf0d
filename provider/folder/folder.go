// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package folder reads a folder of this machine as provider/s3 reads a bucket, so that collect/bucket collects its files. The
// promises:
//
//   - Nothing outside the folder is read: links are not followed when it is listed, and none leads out when a file is opened
//     ([os.Root]). What is no regular file is left out, and what has a name that begins with a dot, as files have that are
//     still being copied.
//   - Nothing is changed, and no file is opened that was not listed.
//   - A file is listed when nobody has changed it for a while ([Options.Quiet]), and a listing is as of that while ago. What is
//     written to after that is another object of the same key, as in a bucket.
//   - A key is the path below the folder, with slashes. Bytes of a name that are no UTF-8, control characters and % are
//     written as %XX, so that every name has a key, and one of its own.
//   - Every failure is a [*rest.Error] with a class and a sentence. A context that ended is returned as such.
//
// # Known holes
//
// The names of one folder are in memory while it is listed, about 100 bytes each, and are read again for every 1,000 of them:
// folders by day are better than one with a million files. Of a file system that keeps no time of the last change of an inode,
// a file that is moved into the folder counts as taken in when it was last written to.
package folder

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/daybreak-sec/daybreak/provider/budget"
	"github.com/daybreak-sec/daybreak/provider/rest"
	"github.com/daybreak-sec/daybreak/provider/s3"
)

// Options of a client.
type Options struct {
	Path  string        // of the folder
	Quiet time.Duration // for which a file must not have been changed
	Now   func() time.Time
}

// Client is safe for concurrent use.
type Client struct{ o Options }

// New checks the options; the folder need not be there yet.
func New(o Options) (*Client, error) {
	if o.Path == "" || o.Quiet <= 0 {
		return nil, errors.New("folder: a path is needed, and a time for which files are not changed")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Client{o}, nil
}

// Now is the time by the clock that file times are of: this machine's.
func (c *Client) Now() time.Time { return c.o.Now() }

// Pause is none: nobody is asked.
func (c *Client) Pause() (now, all time.Duration) { return 0, 0 }

// PublicKeys are CloudTrail's; a folder has none.
func (c *Client) PublicKeys(context.Context, budget.Priority, string, time.Time, time.Time) ([]s3.Key, error) {
	return nil, &rest.Error{API: "folder", Op: "keys", Class: rest.ClassAdmin, Message: "a folder has no public keys"}
}

// perPage is how many files are on a page, as in a bucket.
const perPage = 1000

// List returns a page of at most 1,000 files, in the order of their keys. With the delimiter "/" folders are not gone into.
func (c *Client) List(ctx context.Context, _ budget.Priority, q s3.Query) (*s3.Page, error) {
	root, err := c.open()
	if err != nil {
		return nil, err
	}
	defer root.Close()
	l := &listing{
		ctx: ctx, root: root, prefix: q.Prefix, after: max(q.After, q.Next), flat: q.Delimiter == "/",
		page: &s3.Page{At: c.o.Now().Add(-c.o.Quiet)},
	}
	switch err := l.below(".", ""); {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, errFull):
		l.page.Next = l.page.Objects[len(l.page.Objects)-1].Key
	case err != nil:
		return nil, c.fault("list", err)
	}
	return l.page, nil
}

func (c *Client) open() (*os.Root, error) {
	root, err := os.OpenRoot(c.o.Path)
	if err == nil {
		return root, nil
	}
	if info, stat := os.Stat(c.o.Path); stat == nil && !info.IsDir() {
		return nil, &rest.Error{API: "folder", Op: "list", Class: rest.ClassAdmin, Message: c.o.Path + " is no folder", Action: "correct folder"}
	}
	return nil, c.fault("list", err)
}

// listing is one on its way.
type listing struct {
	ctx           context.Context //nolint:containedctx // of the call that the listing is
	root          *os.Root
	prefix, after string
	flat          bool
	page          *s3.Page
}

// errFull ends a listing whose page is full.
var errFull = errors.New("the page is full")

// entry is what a folder holds.
type entry struct {
	key string // the last part of it; of folders with a slash, by which keys are ordered
	fs.DirEntry
}

// below lists what a folder holds whose keys begin with key.
func (l *listing) below(dir, key string) error {
	f, err := l.root.Open(dir)
	if err != nil {
		return gone(err, dir)
	}
	entries, err := f.ReadDir(-1)
	f.Close()
	if err != nil {
		return gone(err, dir)
	}
	list := make([]entry, 0, len(entries))
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") || !e.IsDir() && !e.Type().IsRegular() {
			continue
		}
		part := escape(e.Name())
		if e.IsDir() {
			part += "/"
		}
		list = append(list, entry{part, e})
	}
	slices.SortFunc(list, func(a, b entry) int { return strings.Compare(a.key, b.key) })
	for _, e := range list {
		if l.ctx.Err() != nil {
			return l.ctx.Err()
		}
		if err := l.take(dir, key+e.key, e); err != nil {
			return err
		}
	}
	return nil
}

// take takes what a folder holds, if it was asked for.
func (l *listing) take(dir, key string, e entry) error {
	if len(key) > s3.MaxKey {
		return &rest.Error{API: "folder", Op: "list", Class: rest.ClassHostile, Message: fmt.Sprintf("the path that begins with %.60q is longer than %d bytes", key, s3.MaxKey), Action: "shorten it, or give another folder"}
	}
	path := e.Name()
	if dir != "." {
		path = dir + "/" + path
	}
	if e.IsDir() {
		ahead := strings.HasPrefix(key, l.prefix) && (key > l.after || strings.HasPrefix(l.after, key))
		switch {
		case l.flat && ahead && key != l.prefix:
			l.page.Prefixes = append(l.page.Prefixes, key)
		case ahead, strings.HasPrefix(l.prefix, key):
			return l.below(path, key)
		}
		return nil
	}
	if key <= l.after || !strings.HasPrefix(key, l.prefix) {
		return nil
	}
	info, err := e.Info()
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	o := objectOf(key, info)
	if o.Modified.After(l.page.At) {
		return nil // it may be in the middle of being written
	}
	if len(l.page.Objects) == perPage {
		return errFull
	}
	l.page.Objects = append(l.page.Objects, o)
	return nil
}

// gone takes it as empty that a folder below is not there any more.
func gone(err error, dir string) error {
	if errors.Is(err, fs.ErrNotExist) && dir != "." {
		return nil
	}
	return err
}

// objectOf is a file as an object: what it holds is known by its size and the time of the last write to it.
func objectOf(key string, info fs.FileInfo) s3.Object {
	written, changed := info.ModTime(), changed(info)
	if changed.Before(written) {
		changed = written
	}
	return s3.Object{Key: key, ETag: fmt.Sprintf("%x-%x", info.Size(), written.UnixNano()), Size: info.Size(), Modified: changed}
}

// Get opens a file. If etag is not empty and the file is another by now, the error is of [rest.ClassExpired].
func (c *Client) Get(ctx context.Context, _ budget.Priority, key, etag string) (*s3.Body, error) {
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	path, err := url.PathUnescape(key)
	if err != nil {
		return nil, &rest.Error{API: "folder", Op: "get", Class: rest.ClassHostile, Message: "the key is no path"}
	}
	root, err := c.open()
	if err != nil {
		return nil, err
	}
	defer root.Close()
	f, err := root.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // of what was a file when it was listed and is a pipe now
	if err != nil {
		return nil, c.fault("get", err)
	}
	info, err := f.Stat()
	switch {
	case err != nil:
		f.Close()
		return nil, c.fault("get", err)
	case !info.Mode().IsRegular() || etag != "" && objectOf(key, info).ETag != etag:
		f.Close()
		return nil, &rest.Error{API: "folder", Op: "get", Class: rest.ClassExpired, Message: "the file was written to since it was listed"}
	}
	o := objectOf(key, info)
	return &s3.Body{ReadCloser: &reader{File: f, c: c, ctx: ctx, etag: o.ETag}, ETag: o.ETag, Size: o.Size}, nil
}

// reader is a file that must be the same at its end.
type reader struct {
	*os.File
	c    *Client
	ctx  context.Context //nolint:containedctx // of the call that the file belongs to
	etag string
}

func (r *reader) Read(b []byte) (int, error) {
	if r.ctx.Err() != nil {
		return 0, r.ctx.Err()
	}
	n, err := r.File.Read(b)
	switch {
	case errors.Is(err, io.EOF):
		if info, err := r.Stat(); err != nil || objectOf("", info).ETag != r.etag {
			return n, &rest.Error{API: "folder", Op: "get", Class: rest.ClassRetry, Message: "the file was written to while it was read"}
		}
	case err != nil:
		return n, r.c.fault("get", err)
	}
	return n, err
}

// fault makes a [*rest.Error] of an error of the file system.
func (c *Client) fault(op string, err error) error {
	if e := (*rest.Error)(nil); errors.As(err, &e) {
		return e
	}
	e := &rest.Error{API: "folder", Op: op, Message: rest.Line(err.Error()), Err: err}
	switch {
	case errors.Is(err, fs.ErrNotExist) && op == "get":
		e.Class, e.Message = rest.ClassMissing, "the file is not there any more"
	case errors.Is(err, fs.ErrNotExist):
		e.Class, e.Message, e.Action = rest.ClassAdmin, fmt.Sprintf("there is no folder %s", c.o.Path), "make it, mount it, or correct folder"
	case errors.Is(err, fs.ErrPermission):
		e.Class, e.Action = rest.ClassAdmin, "let the user of this program read the folder and all files below it"
	}
	return e
}

// escape writes a name so that it can be part of a key, of UTF-8 without control characters, and no other name is written so.
func escape(name string) string {
	var b strings.Builder
	for i := 0; i < len(name); {
		r, n := utf8.DecodeRuneInString(name[i:])
		if r == '%' || r == utf8.RuneError && n == 1 || unicode.IsControl(r) {
			for _, c := range []byte(name[i : i+n]) {
				fmt.Fprintf(&b, "%%%02X", c)
			}
		} else {
			b.WriteString(name[i : i+n])
		}
		i += n
	}
	return b.String()
}
