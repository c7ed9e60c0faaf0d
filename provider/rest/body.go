// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/gzip"
)

// ErrUnclosed is wrapped by the error of a body that was delivered as announced, and
// whose JSON array is still not closed: it was cut before it was sent, or its content is
// damaged. If that stays, what there is of it is all there is.
var ErrUnclosed = errors.New("the answer was cut: its array is not closed")

var (
	errStalled = errors.New("no byte has come for too long")
	errClosed  = errors.New("the body is closed")
)

const (
	// A deflate stream can be a thousandth of what it holds. Records compress to a tenth,
	// the most repetitive ones we make to a fiftieth.
	maxRatio  = 300
	ratioFrom = 32 << 20 // bytes from which the ratio is looked at
	bodyBlock = 64 << 10
)

// Body is an answer's body, decompressed. Read gives io.EOF only if all of it was
// delivered; otherwise its last error is an [*Error], or the context's. Read and Close
// are for one goroutine.
type Body struct {
	Length int64 // as the provider announced it, before decompression; -1 if it did not

	api    string
	op     string
	token  string          // what was sent, to be hidden if it comes back
	parent context.Context //nolint:containedctx // that of the request; the body lives as long
	ctx    context.Context
	cancel context.CancelCauseFunc
	limits Limits
	res    *http.Response
	buf    *bufio.Reader
	wire   int64 // bytes received
	shape  shape // of what was given out
	err    error // what Read returns from now on
	timer  *time.Timer

	slowFor   time.Duration // time spent in reading since the speed was last looked at
	slowBytes int64
}

func newBody(ctx context.Context, c *Client, op, token string) *Body {
	b := &Body{api: c.name, op: op, token: token, parent: ctx, limits: c.limits, Length: -1}
	b.ctx, b.cancel = context.WithCancelCause(ctx)
	return b
}

// Hide takes the token that was sent, and whatever looks like one, out of a text.
func (b *Body) Hide(text []byte) []byte { return hide(text, b.token) }

// Rest reads what is left, at most n bytes.
func (b *Body) Rest(n int64) ([]byte, error) { return b.rest(n) }

// open takes the answer.
func (b *Body) open(res *http.Response) {
	b.res, b.Length = res, res.ContentLength
	var r io.Reader = readerFunc(b.receive)
	switch encoding := strings.ToLower(strings.TrimSpace(res.Header.Get("Content-Encoding"))); encoding {
	case "", "identity":
	case "gzip", "x-gzip":
		r = &gunzip{b: b}
	default:
		b.err = &Error{API: b.api, Op: b.op, Status: res.StatusCode, Class: ClassRetry, Message: "the answer has an encoding that was not asked for: " + Line(encoding)}
	}
	b.buf = bufio.NewReaderSize(r, bodyBlock)
}

// watch ends the request if nothing happens for the time of a stall, until unwatch.
func (b *Body) watch() {
	if b.timer == nil {
		b.timer = time.AfterFunc(b.limits.Stall, func() { b.cancel(errStalled) })
		return
	}
	b.timer.Reset(b.limits.Stall)
}

func (b *Body) unwatch() { b.timer.Stop() }

// receive reads what the network brings. Only the time spent here counts: a reader that
// is slow itself is no fault of the provider.
func (b *Body) receive(p []byte) (int, error) {
	b.watch()
	begun := time.Now()
	n, err := b.res.Body.Read(p)
	b.slowFor += time.Since(begun)
	b.unwatch()
	b.wire += int64(n)
	b.slowBytes += int64(n)
	if b.slowFor >= b.limits.Slow {
		if err == nil && float64(b.slowBytes) < float64(b.limits.MinSpeed)*b.slowFor.Seconds() {
			err = fmt.Errorf("%d bytes in %v is too slow", b.slowBytes, b.slowFor.Round(time.Second))
		}
		b.slowFor, b.slowBytes = 0, 0
	}
	return n, err
}

// Read reads on.
func (b *Body) Read(p []byte) (int, error) {
	n, err := b.read(p)
	b.shape.add(p[:n])
	if err == io.EOF && !b.shape.closed() {
		b.err = &Error{API: b.api, Op: b.op, Status: b.res.StatusCode, Class: ClassRetry, Message: ErrUnclosed.Error(), Err: ErrUnclosed}
		err = b.err
	}
	return n, err
}

func (b *Body) read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	n, err := b.buf.Read(p)
	if err != nil {
		b.err = b.fail(err)
	}
	if n > 0 {
		return n, nil // the error comes with the next one
	}
	return 0, b.err
}

// first returns the first byte that is not white space, and leaves it unread.
func (b *Body) first() (byte, error) {
	for {
		c, err := b.buf.ReadByte()
		if err == io.EOF {
			b.err = io.EOF
			return 0, nil
		}
		if err != nil {
			b.err = b.fail(err)
			return 0, b.err
		}
		if c == 0xEF { // a byte order mark
			if mark, err := b.buf.Peek(2); err == nil && mark[0] == 0xBB && mark[1] == 0xBF {
				_, _ = b.buf.Discard(2)
				continue
			}
		}
		if !space(c) {
			return c, b.buf.UnreadByte()
		}
		if b.wire > MaxErrorBody {
			return ' ', nil
		}
	}
}

func space(c byte) bool { return c == ' ' || c == '\n' || c == '\r' || c == '\t' }

// fail makes an error for the caller of what the network or the decompressor says.
func (b *Body) fail(err error) error {
	if err == io.EOF {
		return err
	}
	if ended := b.parent.Err(); ended != nil {
		return ended
	}
	e := &Error{API: b.api, Op: b.op, Class: ClassRetry}
	if b.res != nil {
		e.Status = b.res.StatusCode
	}
	cause := context.Cause(b.ctx)
	ours := (*Error)(nil)
	switch {
	case errors.As(err, &ours):
		return ours
	case errors.Is(cause, errStalled):
		e.Message = fmt.Sprintf("no byte has come for %v", b.limits.Stall)
	case errors.Is(cause, errClosed):
		e.Message = errClosed.Error()
	case errors.Is(err, io.ErrUnexpectedEOF):
		e.Message = "the answer was cut"
	default:
		e.Message = string(b.Hide([]byte(networkMessage(err))))
	}
	return e
}

// Received is how many bytes have come over the network.
func (b *Body) Received() int64 { return b.wire }

// Close gives the connection back if all was read, and ends it otherwise.
func (b *Body) Close() error {
	if b.err == nil {
		b.err = &Error{API: b.api, Op: b.op, Class: ClassRetry, Message: errClosed.Error()}
	}
	b.cancel(errClosed)
	if b.res != nil {
		return b.res.Body.Close()
	}
	return nil
}

// gunzip decompresses to the very end: the checksum of the last member and the end of the
// body after it belong to the answer.
type gunzip struct {
	b    *Body
	z    *gzip.Reader
	out  int64
	done bool
}

var gunzips = sync.Pool{New: func() any { return new(gzip.Reader) }}

func (g *gunzip) Read(p []byte) (int, error) {
	if g.done {
		return 0, io.EOF
	}
	if g.z == nil {
		z := gunzips.Get().(*gzip.Reader)
		if err := z.Reset(bufio.NewReaderSize(readerFunc(g.b.receive), bodyBlock)); err != nil {
			return 0, g.damaged(err)
		}
		g.z = z
	}
	n, err := g.z.Read(p)
	g.out += int64(n)
	if g.out > ratioFrom && g.out/maxRatio > g.b.wire {
		return 0, &Error{API: g.b.api, Op: g.b.op, Status: g.b.res.StatusCode, Class: ClassHostile, Message: fmt.Sprintf("the answer is compressed to less than a %dth", maxRatio)}
	}
	switch {
	case err == io.EOF:
		g.done = true
		gunzips.Put(g.z)
	case err != nil:
		err = g.damaged(err)
	}
	return n, err
}

func (g *gunzip) damaged(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF // empty: not even a header
	}
	if errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum) {
		return &Error{API: g.b.api, Op: g.b.op, Status: g.b.res.StatusCode, Class: ClassRetry, Message: "the answer's compression is damaged, or bytes follow it"}
	}
	return err
}
