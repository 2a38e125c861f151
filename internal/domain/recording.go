package domain

import (
	"context"
	"io"
)

// RecordingFile is a recording that is being written. It is written by one
// goroutine, at any place: sound at the end, the header at the start.
type RecordingFile interface {
	io.WriterAt
	io.Closer
}

// Recordings keeps the sound of calls.
type Recordings interface {
	// Create opens a new recording for a call and returns the store's name for it.
	Create(ctx context.Context, call ID) (RecordingFile, string, error)
	// Open opens a recording for reading. A name that does not exist is
	// CodeNotFound.
	Open(ctx context.Context, name string) (RecordingReader, error)
	// Repair makes a recording playable whose writer died: the header is set to
	// the length that is there.
	Repair(ctx context.Context, name string) error
	// Delete removes a recording; one that is not there is no error.
	Delete(ctx context.Context, name string) error
	// Path returns where the recording can be played on this machine, or "".
	Path(name string) string
}

// RecordingReader is an open recording.
type RecordingReader interface {
	io.ReadSeekCloser
}
