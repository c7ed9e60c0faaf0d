// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package journal

import (
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/internal/durable"
	"github.com/daybreak-sec/daybreak/journal/layout"
)

// Options say how a journal is kept. Zero values take the defaults.
type Options struct {
	// Origin is the first line of every checkpoint, unique in the world among
	// all logs ("example.com/audit"). Only the first run needs it; empty, it
	// makes up "daybreak.local/" with random digits.
	Origin string
	// KeyFile holds the signing key, mode 0600, in the signed-note form. It is
	// made on the first run, outside the journal's directory, and KeyFile+".pub"
	// beside it holds the verifier key. Required.
	KeyFile string
	// DedupeDir holds the memory of duplicates, outside the journal's directory.
	// It can be deleted at any time: it is made again from the log. Required.
	DedupeDir string
	// DedupeWindow is how long a record is remembered: at least this long after
	// it was committed, at most twice as long. Default 30 days.
	DedupeWindow time.Duration
	// DedupeMemory bounds what the memory of duplicates keeps in RAM, in bytes.
	// Default 64 MiB.
	DedupeMemory int64

	// A batch is sealed when it holds BatchRecords (2048) or BatchBytes of raw
	// records (2 MiB), or BatchDelay (100 ms) after its first record. While the
	// disk is behind it grows on, to 4096 records or twice the bytes. A
	// record that is larger goes into a batch of its own.
	BatchRecords int
	BatchBytes   int
	BatchDelay   time.Duration

	// SegmentBytes (256 MiB) of frames, or SegmentAge (24 h), end a segment, the
	// unit in which retention deletes.
	SegmentBytes int64
	SegmentAge   time.Duration

	// LiveBytes bounds the memory of the latest batches that are kept for
	// followers. Default 32 MiB.
	LiveBytes int

	// CheckpointInterval is the least time between published checkpoints, at
	// least 100 ms. Default 1 s.
	CheckpointInterval time.Duration
	// WitnessPolicy names the witnesses whose cosignatures a checkpoint needs
	// before it is published, in the form that Sigsum and tessera use; nil for
	// none. While they cannot be reached, records are sealed as ever and the
	// checkpoint stays where it is: see [Stats].
	WitnessPolicy []byte
	// WitnessClient reaches the witnesses. Default http.DefaultClient.
	WitnessClient *http.Client

	// CloseTimeout bounds how long Close waits for the disk and for a last
	// checkpoint, which takes the witnesses. Default 15 s.
	CloseTimeout time.Duration

	// Content returns what of a record says what happened, without what a provider writes anew each time it delivers the
	// record: by that, records of one id are told to be copies of one another. Default: all of it.
	Content func(f event.Family, raw []byte) []byte

	Logger *slog.Logger     // default slog.Default()
	Now    func() time.Time // default time.Now
	Ops    durable.Ops      // file operations; tests let them fail
}

const (
	minCheckpointInterval = 100 * time.Millisecond // tessera takes no less
	growBytes             = 2                      // times BatchBytes
)

func (o Options) withDefaults() (Options, error) {
	if o.KeyFile == "" || o.DedupeDir == "" {
		return o, errors.New("journal: KeyFile and DedupeDir have to be given")
	}
	if o.Content == nil {
		o.Content = func(_ event.Family, raw []byte) []byte { return raw }
	}
	setDefault(&o.DedupeWindow, 30*24*time.Hour)
	setDefault(&o.DedupeMemory, 64<<20)
	setDefault(&o.BatchRecords, 2048)
	setDefault(&o.BatchBytes, 2<<20)
	setDefault(&o.BatchDelay, 100*time.Millisecond)
	setDefault(&o.SegmentBytes, 256<<20)
	setDefault(&o.SegmentAge, 24*time.Hour)
	setDefault(&o.LiveBytes, 32<<20)
	setDefault(&o.CheckpointInterval, time.Second)
	setDefault(&o.CloseTimeout, 15*time.Second)
	setDefault(&o.WitnessClient, http.DefaultClient)
	setDefault(&o.Logger, slog.Default())
	if o.Now == nil {
		o.Now = time.Now
	}
	o.BatchRecords = min(o.BatchRecords, layout.MaxRecords)
	o.BatchBytes = min(o.BatchBytes, layout.MaxFrameBytes/growBytes)
	o.CheckpointInterval = max(o.CheckpointInterval, minCheckpointInterval)
	return o, nil
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
