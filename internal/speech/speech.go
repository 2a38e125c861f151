// Package speech defines what the house needs of engines that hear, talk and
// think, and keeps the registry of those that are there.
package speech

import (
	"context"
	"errors"
	"iter"

	"github.com/callwright/callwright/internal/audio"
)

// Format is the sound that a stream carries.
type Format struct {
	SampleRate int    // hertz
	Language   string // BCP 47, or ""
}

// STT turns sound into words.
type STT interface {
	Name() string
	// Open starts one stream for one call. The stream ends when ctx is done.
	Open(ctx context.Context, f Format) (Stream, error)
}

// Stream is one call's ear.
type Stream interface {
	audio.Writer
	// Heard delivers what was understood; it is closed after Close or a failure,
	// which Err then tells.
	Heard() <-chan Heard
	Err() error
}

// Heard is something a stream understood.
type Heard struct {
	Text  string // for an interim: all of the utterance so far; it may be revised
	Final bool   // the utterance is complete; Text will not change
}

// TTS turns words into sound.
type TTS interface {
	Name() string
	// Voices lists what the engine can speak with; the first is its default.
	Voices() []Voice
	// Speak synthesises text with the named voice ("" is the default) and writes
	// it to out, whose SampleRate the engine must meet. It returns when all was
	// written, when ctx is done, or with an error.
	Speak(ctx context.Context, voice, text string, out audio.Writer) error
}

// Voice is one voice of an engine.
type Voice struct {
	Name       string
	Language   string // BCP 47
	SampleRate int    // hertz, native
}

// LLM thinks.
type LLM interface {
	Name() string
	// Chat streams the answer to a request. A chunk with an error is the last.
	Chat(ctx context.Context, req Request) iter.Seq2[Chunk, error]
}

// Request is one question to an LLM.
type Request struct {
	Model    string // "" is the engine's default
	System   string
	Messages []Message
	Tools    []Tool
}

// Message is one entry of a conversation.
type Message struct {
	Role   string     // user, assistant, tool
	Text   string     // for role tool: its result
	Calls  []ToolCall // for role assistant: what it called; each is answered by a message of role tool after it
	CallID string     // for role tool: the call it answers
}

// Tool is a function that the model may call.
type Tool struct {
	Name        string
	Description string
	Parameters  []byte // JSON Schema
}

// Chunk is a piece of an answer.
type Chunk struct {
	Text string
	Call *ToolCall
	Note string // for the reader of a call: why not the preferred engine answers; or ""
}

// ToolCall is the model's wish to call a tool.
type ToolCall struct {
	ID        string
	Name      string
	Arguments []byte // JSON
}

// VAD tells speech from other sound. It is a pure object, fed frame by frame.
type VAD interface {
	// Push takes one frame and reports the probability, 0 to 1, that it is speech.
	Push(pcm []int16) float32
	Reset()
}

// The reasons for which an engine is given up.
var (
	ErrLate     = errors.New("no sound came in time")
	ErrStalled  = errors.New("the sound stopped in the middle of the text")
	ErrNoAnswer = errors.New("the answer had neither words nor calls of tools")
)

// Error is a failure of an engine.
type Error struct {
	Engine    string
	Err       error
	Retryable bool // another try, or another engine, may succeed
}

func (e *Error) Error() string { return e.Engine + ": " + e.Err.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Retryable reports whether err says that another try may succeed.
func Retryable(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Retryable
}
