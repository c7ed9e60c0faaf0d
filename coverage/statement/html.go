// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package statement

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"
	"time"

	"github.com/daybreak-sec/daybreak/coverage"
)

//go:embed page.html
var pageText string

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"stamp":    stamp,
	"hex":      func(sum [32]byte) string { return fmt.Sprintf("%x", sum) },
	"class":    func(state string) string { return strings.ReplaceAll(state, " ", "-") },
	"span":     func(seconds int64) string { return (time.Duration(seconds) * time.Second).String() },
	"calendar": calendar,
}).Parse(pageText))

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05Z")
}

// HTML writes a statement as one page that needs nothing from elsewhere and holds no script. The page
// is for people: only the document itself is signed.
func HTML(w io.Writer, h *Head, s *Statement) error {
	err := page.Execute(w, struct {
		Head   *Head
		S      *Statement
		States []coverage.State
	}{h, s, coverage.States[:]})
	if err != nil {
		return fmt.Errorf("statement: %w", err)
	}
	return nil
}

// The picture has a row for each day and a unit of width for each minute.
const (
	dayMinutes = 24 * 60
	rowHeight  = 16
)

// picture is a stream's calendar, in units of its own.
type picture struct {
	Width, Height int
	Days          []day
}

type day struct {
	Name  string
	Y     int
	Cells []cell
}

// cell is the part of a run that lies in one day.
type cell struct {
	X, Width    int
	State, Text string
}

// calendar draws the runs of a stream, a day a row.
func calendar(s *Stream) picture {
	p := picture{Width: dayMinutes}
	for i := range s.Runs {
		r := &s.Runs[i]
		for from := r.From.UTC(); from.Before(r.To); {
			midnight := from.Truncate(24 * time.Hour)
			to := midnight.Add(24 * time.Hour)
			if r.To.Before(to) {
				to = r.To
			}
			d := p.day(midnight)
			d.Cells = append(d.Cells, cell{
				X: int(from.Sub(midnight) / time.Minute), Width: int(to.Sub(from) / time.Minute),
				State: r.State, Text: r.When() + ": " + r.Word(),
			})
			from = to
		}
	}
	p.Height = (len(p.Days) + 1) * rowHeight // the first is the hours'
	return p
}

// day returns the row of a day, which is the last one or comes after it.
func (p *picture) day(midnight time.Time) *day {
	name := midnight.Format("2006-01-02")
	if n := len(p.Days); n == 0 || p.Days[n-1].Name != name {
		p.Days = append(p.Days, day{Name: name, Y: n * rowHeight})
	}
	return &p.Days[len(p.Days)-1]
}
