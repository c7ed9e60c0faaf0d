// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"math"
	"sync"

	"github.com/daybreak-sec/daybreak/detect"
	"github.com/daybreak-sec/daybreak/enrich"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/journal"
	"github.com/daybreak-sec/daybreak/ocsf"
)

// passes has the two followers of the journal, the lake and detection, go over a batch once between them: whoever comes to it first
// reads, maps and judges its records for both, and the other takes up what was made for it. A follower that is far behind, because
// it begins anew or was held up, goes alone until it has caught up: neither ever waits for the other to come.
type passes struct {
	mu   sync.Mutex
	left map[uint64]*pass // by batch: what one follower has made, or is making, for the other
	next [2]uint64        // by follower: the batch that it comes to next, ended if it comes to none
}

// The followers.
const (
	ofLake = iota
	ofDetection
)

const (
	ended = math.MaxUint64
	// passesLeft is how far a follower may be behind for the other to do its work as well: about what an import lets them be.
	passesLeft = aheadBatches
)

// pass is what a batch gives.
type pass struct {
	rows   *rows
	judged *judged
	shared bool
	ready  chan struct{}
}

func newPasses(n *Node) *passes {
	ps := &passes{left: map[uint64]*pass{}, next: [2]uint64{n.lake.Appended().Batch, ended}}
	if n.detector != nil {
		ps.next[ofDetection] = n.detector.at
	}
	return ps
}

// claim returns the pass of a batch that a follower has come to. Unless it is there already, the caller makes it, for both if it
// is shared.
func (ps *passes) claim(follower int, batch uint64) (p *pass, there bool) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	ps.next[follower] = max(ps.next[follower], batch+1)
	if p = ps.left[batch]; p != nil {
		delete(ps.left, batch)
		return p, true
	}
	other := ps.next[1-follower]
	p = &pass{shared: batch >= other && batch-other < passesLeft, ready: make(chan struct{})}
	if p.shared {
		ps.left[batch] = p
	}
	return p, false
}

// end says that a follower comes to no more batches.
func (ps *passes) end(follower int) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	ps.next[follower] = ended
	clear(ps.left)
}

// rows returns the rows of a batch for the lake.
func (ps *passes) rows(by *passer, b *journal.Batch) *rows {
	p, there := ps.claim(ofLake, b.Index)
	if there {
		<-p.ready
		return p.rows
	}
	if p.shared {
		p.judged = begin(b)
	}
	p.rows = by.both(b, p.judged)
	close(p.ready)
	return p.rows
}

// judge judges a batch for detection.
func (ps *passes) judge(by *passer, j *judged) {
	p, there := ps.claim(ofDetection, j.batch.Index)
	switch {
	case there:
		<-p.ready
		j.findings, p.judged.findings = p.judged.findings, j.findings
		p.judged.end()
		return
	case p.shared:
		p.rows = by.both(j.batch, j)
	default:
		by.alone(j)
	}
	close(p.ready)
}

// passer goes over batches, and judges by the book that counts when it comes to one. It is for one goroutine.
type passer struct {
	mapper
	n     *Node
	book  *detect.Book
	judge *detect.Judge
	made  *ocsf.Event // of the record under judgment; nil if it was not mapped
}

func newPasser(n *Node) *passer {
	return &passer{n: n, mapper: mapper{enricher: enrich.New(&n.mappers.source)}}
}

// both maps a batch, and judges it if j is not nil.
func (w *passer) both(b *journal.Batch, j *judged) *rows {
	if j == nil {
		return w.rows(w.n.mappers, b, nil)
	}
	w.by(j)
	defer func() { w.made = nil }()
	return w.rows(w.n.mappers, b, func(i int, e *ocsf.Event) {
		w.made = e
		j.judgeParsed(w.judge, i, w.normalizer.Root())
	})
}

// alone judges a batch.
func (w *passer) alone(j *judged) {
	w.by(j)
	if j.batch.Gone {
		return
	}
	for i := range j.batch.Records {
		j.judge(w.judge, i)
	}
}

func (w *passer) by(j *judged) {
	j.book = w.n.detector.book.Load()
	if w.book != j.book {
		w.book, w.judge = j.book, j.book.NewJudge(w.view)
	}
}

// view makes the OCSF event that rules see of a record.
func (w *passer) view(raw []byte, root jsontape.Value, family event.Family) []byte {
	e := w.made
	if e == nil {
		e = w.normalizer.Parsed(raw, root, family)
		w.enricher.Apply(e)
	}
	w.json = e.AppendJSON(w.json[:0])
	return w.json
}
