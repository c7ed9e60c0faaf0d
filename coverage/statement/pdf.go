// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package statement

import (
	"cmp"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode"

	"codeberg.org/go-pdf/fpdf"
	"golang.org/x/image/font/gofont/goregular"

	"github.com/daybreak-sec/daybreak/coverage"
)

// PDF writes a statement as pages of A4, with the same content as [HTML], for those who file paper. The same statement
// gives the same bytes. It is for people: only the document itself is signed.
func PDF(w io.Writer, h *Head, s *Statement) error {
	p := newPaper(s.Made)
	p.line(16, "Coverage statement")
	tenant := cmp.Or(s.Tenant, "all")
	facts := [][2]string{
		{"Period", stamp(s.Since) + " – " + stamp(s.Until) + ", by the provider’s clock"},
		{"Tenant", tenant},
		{"Made", stamp(s.Made)},
		{"Log", fmt.Sprintf("%s, the acts of its first %d entries", h.Origin, h.Entries)},
		{"SHA-256", fmt.Sprintf("%x", h.Sum)},
		{"Intervals", fmt.Sprintf("%s; of %d seconds each", s.Totals.States, s.IntervalSeconds)},
		{"Records", fmt.Sprintf("%d in %d of %d blobs", s.Totals.Records, s.Totals.Sealed, s.Totals.Blobs)},
	}
	if line := s.CanaryLine(); line != "" {
		facts = append(facts, [2]string{"Canaries", line})
	}
	p.facts(facts)
	p.key()
	p.text("These pages are for reading. What counts is the signed document that they were made from: daybreak verify --statement FILE --key FILE DIR derives all of it again.")
	p.canaries(s.Canaries)
	for i := range s.Streams {
		p.stream(&s.Streams[i])
	}
	if err := p.Output(w); err != nil {
		return fmt.Errorf("statement: %w", err)
	}
	return nil
}

// paper is an A4 page on its side, in millimeters.
type paper struct{ *fpdf.Fpdf }

const (
	margin   = 12.0
	width    = 297 - 2*margin
	lineHigh = 4.2
	fontSize = 8
)

func newPaper(made time.Time) paper {
	p := paper{fpdf.New("L", "mm", "A4", "")}
	p.SetMargins(margin, margin, margin)
	p.SetAutoPageBreak(true, margin)
	p.AddUTF8FontFromBytes("go", "", goregular.TTF)
	// What would make two outputs of one statement differ.
	p.SetCreationDate(made)
	p.SetModificationDate(made)
	p.SetCatalogSort(true)
	p.SetTitle("Coverage statement", true)
	p.SetLang("en")
	p.SetFooterFunc(func() {
		p.SetY(-margin + 2)
		p.font(6)
		p.CellFormat(width, 4, fmt.Sprintf("Coverage statement, made %s · page %d", stamp(made), p.PageNo()), "", 0, "R", false, 0, "")
		p.font(fontSize)
	})
	p.AddPage()
	p.font(fontSize)
	return p
}

// plainText leaves of a text what can be set: names come from vendors. What is outside of the basic plane, or steers a
// terminal or the order of writing, becomes U+FFFD; what the font has no sign for is an empty box.
func plainText(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case r > 0xffff || !unicode.IsPrint(r):
			return unicode.ReplacementChar
		}
		return r
	}, text)
}

func (p paper) font(size float64) { p.SetFont("go", "", size) }

// line writes a heading.
func (p paper) line(size float64, text string) {
	p.font(size)
	p.MultiCell(width, size/2, plainText(text), "", "L", false)
	p.font(fontSize)
	p.Ln(1)
}

func (p paper) text(text string) {
	p.MultiCell(width, lineHigh, plainText(text), "", "L", false)
	p.Ln(1)
}

// facts writes names and what belongs to them.
func (p paper) facts(list [][2]string) {
	for _, f := range list {
		p.CellFormat(24, lineHigh, f[0], "", 0, "L", false, 0, "")
		p.MultiCell(width-24, lineHigh, plainText(f[1]), "", "L", false)
	}
	p.Ln(1)
}

// colors are those of page.html.
var colors = map[string][3]int{
	string(coverage.Complete): {0x2d, 0xa4, 0x4e}, string(coverage.Late): {0xd4, 0xa7, 0x2c}, string(coverage.Gap): {0xcf, 0x22, 0x2e},
	string(coverage.Blind): {0x6e, 0x40, 0xc9}, string(coverage.Unavailable): {0x8c, 0x95, 0x9f}, string(coverage.Unknown): {0xdf, 0xe3, 0xe8},
}

func (p paper) fill(state string, x, y, w, h float64) {
	c := colors[state]
	p.SetFillColor(c[0], c[1], c[2])
	p.Rect(x, y, w, h, "F")
}

// key says what the colors mean.
func (p paper) key() {
	for _, s := range coverage.States {
		p.fill(string(s), p.GetX(), p.GetY()+0.8, 2.6, 2.6)
		p.SetX(p.GetX() + 3.5)
		p.CellFormat(p.GetStringWidth(string(s))+5, lineHigh, string(s), "", 0, "L", false, 0, "")
	}
	p.Ln(lineHigh + 1)
}

// canaries tells what became of them.
func (p paper) canaries(list []Canary) {
	if len(list) == 0 {
		return
	}
	p.keep(30)
	p.Ln(2)
	p.line(11, "Canaries")
	p.text("Harmless acts that were done in the tenant, by the clock of the log’s machine, and whether their records came.")
	for i := range list {
		if list[i].Stream == "" { // no stream says it
			p.caution(list[i].Caution())
		}
	}
	p.row("Canary, channel", "Tenant", "Done", "After: 50% / 95% / longest", "Arrived", "Missing", "Awaited, untold", "")
	for i := range list {
		c := &list[i]
		arrived := strconv.Itoa(c.Arrived)
		if c.Late > 0 {
			arrived += fmt.Sprintf(" (%d late)", c.Late)
		}
		p.row(c.Where(), c.Tenant, strconv.Itoa(c.Planted), c.Delays(), arrived, strconv.Itoa(c.Missing), fmt.Sprintf("%d, %d", c.Awaited, c.Untold), "")
	}
	p.Ln(1)
	for i := range list {
		for _, l := range list[i].Lost {
			p.text(fmt.Sprintf("Missing: %s, done %s (%s)", list[i].Where(), stamp(l.Planted), l.Act))
		}
	}
}

// caution writes a sentence that must not be overlooked.
func (p paper) caution(text string) {
	if text == "" {
		return
	}
	p.SetTextColor(0xcf, 0x22, 0x2e)
	p.text(text)
	p.SetTextColor(0, 0, 0)
}

func (p paper) stream(s *Stream) {
	p.keep(30)
	p.Ln(2)
	p.line(11, fmt.Sprintf("%s (%s, %s)", s.Stream, s.Source, s.Tenant))
	p.caution(s.Caution)
	p.calendar(s)
	tail := "No tail: the last interval is complete."
	if s.Tail.Seconds > 0 {
		tail = fmt.Sprintf("The tail: %v since the last complete interval, from %s.", time.Duration(s.Tail.Seconds)*time.Second, stamp(s.Tail.From))
	}
	p.text(fmt.Sprintf("%s; %d records in %d of %d blobs, %d stored before, %d blobs late, %d outstanding. %s",
		s.States, s.Records, s.Sealed, s.Blobs, s.Duplicates, s.LateBlobs, s.Outstanding, tail))
	p.row("From", "To", "State", "Why", "Blobs", "Records", "As of", "Evidence")
	for i := range s.Runs {
		r := &s.Runs[i]
		why := r.Reason
		if r.Subject != "" {
			why += ": " + r.Subject
		}
		evidence := strings.Join(strings.Fields(r.Evidence.Listing+" "+r.Evidence.Last+" "+r.Evidence.Why), " ")
		p.row(stamp(r.From), stamp(r.To), r.State, why, fmt.Sprintf("%d / %d", r.Sealed, r.Blobs), strconv.FormatInt(r.Records, 10), stamp(r.AsOf), evidence)
	}
	p.Ln(1)
	for i := range s.Gaps {
		p.text(s.Gaps[i].sentence())
	}
}

// sentence tells of a gap.
func (g *Gap) sentence() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Gap %s – %s: %s", stamp(g.From), cmp.Or(stamp(g.To), "still"), g.Reason)
	if g.Subject != "" {
		b.WriteString(" of " + g.Subject)
	}
	if g.Permanent {
		b.WriteString(", for good")
	}
	if g.Blob != "" {
		b.WriteString(", blob " + g.Blob)
	}
	fmt.Fprintf(&b, ". %s (%s)", g.Message, g.Act)
	return b.String()
}

// calendar draws a stream's days, as [HTML] does.
func (p paper) calendar(s *Stream) {
	const left, high = 20.0, 2.6
	unit := (width - left) / dayMinutes
	pic := calendar(s)
	for i := range pic.Days {
		d := &pic.Days[i]
		p.keep(high + 1)
		y := p.GetY()
		p.font(6)
		p.CellFormat(left, high, d.Name, "", 0, "L", false, 0, "")
		p.font(fontSize)
		for _, c := range d.Cells {
			p.fill(c.State, margin+left+float64(c.X)*unit, y, float64(c.Width)*unit, high)
		}
		p.SetXY(margin, y+high+0.6)
	}
	p.Ln(1)
}

// columns of the table of runs; they add up to width.
var columns = [...]float64{35, 35, 22, 55, 20, 18, 35, 53}

// row writes a row of the table, whose cells may be several lines.
func (p paper) row(cells ...string) {
	lines := make([][]string, len(cells))
	most := 1
	for i, c := range cells {
		if c != "" {
			lines[i] = p.SplitText(plainText(c), columns[i]-2)
		}
		most = max(most, len(lines[i]))
	}
	for n := range most {
		p.keep(lineHigh)
		for i := range cells {
			text := ""
			if n < len(lines[i]) {
				text = lines[i][n]
			}
			p.CellFormat(columns[i], lineHigh, text, "", 0, "L", false, 0, "")
		}
		p.Ln(lineHigh)
	}
	p.SetDrawColor(0xd9, 0xde, 0xe3)
	p.Line(margin, p.GetY(), margin+width, p.GetY())
}

// keep begins a new page if there is not so much room.
func (p paper) keep(room float64) {
	if _, high := p.GetPageSize(); p.GetY()+room > high-margin {
		p.AddPage()
	}
}
