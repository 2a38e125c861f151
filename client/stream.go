package client

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"time"
)

// Event is one event of a stream (Server-Sent Events, as the HTML standard
// defines them in section 9.2).
type Event struct {
	ID   string
	Type string
	Data []byte
}

// errCut is a stream that ended without the server having closed it in order.
var errCut = errors.New("the stream of events broke off")

// stream follows a stream of events. When the connection breaks it goes on after
// the last event that came; the stream is over when the server has nothing more
// (204, or "end" as the last event).
func (c *Client) stream(ctx context.Context, r request, more []Option) iter.Seq2[Event, error] {
	r.accept = "text/event-stream"
	return func(yield func(Event, error) bool) {
		f := follower{client: c, request: r, more: more}
		for broken := 0; broken < c.o.Tries; broken++ {
			came, err := f.once(ctx, yield)
			if err == nil {
				return
			}
			if came {
				broken = 0
			}
			if !errors.Is(err, errCut) || ctx.Err() != nil {
				yield(Event{}, err)
				return
			}
			select {
			case <-ctx.Done():
			case <-time.After(max(f.retry, time.Duration(broken)*time.Second)):
			}
		}
		yield(Event{}, fmt.Errorf("%w %d times", errCut, c.o.Tries))
	}
}

// follower is what is known of a stream between two connections.
type follower struct {
	client  *Client
	request request
	more    []Option
	last    string        // the id of the last event
	retry   time.Duration // how long the server wants to be left alone
}

// once reads one connection to its end. It returns nil when the stream is over
// or the reader has enough, and whether events came.
func (f *follower) once(ctx context.Context, yield func(Event, error) bool) (came bool, err error) {
	more := f.more
	if f.last != "" {
		more = append(more[:len(more):len(more)], Header("Last-Event-ID", f.last))
	}
	res, err := f.client.open(ctx, f.request, more)
	if err != nil {
		return false, err
	}
	defer func() { _ = res.Body.Close() }()
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(make([]byte, 0, 4096), 1<<20)
	var ev Event
	for lines.Scan() {
		line := lines.Bytes()
		if len(line) > 0 {
			f.field(&ev, line)
			continue
		}
		f.last = cmp.Or(ev.ID, f.last) // only now the event is whole
		if ev.Type == "" && ev.Data == nil {
			continue
		}
		came = true
		ev.ID = f.last
		if !yield(ev, nil) || ev.Type == "end" {
			return came, nil
		}
		ev = Event{}
	}
	if err := lines.Err(); err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && ctx.Err() != nil {
		return came, ctx.Err()
	}
	if res.StatusCode == 204 {
		return came, nil
	}
	return came, errCut
}

// field takes one line of an event.
func (f *follower) field(ev *Event, line []byte) {
	name, value, _ := bytes.Cut(line, []byte(":"))
	value = bytes.TrimPrefix(value, []byte(" "))
	switch string(name) {
	case "id":
		ev.ID = string(value)
	case "event":
		ev.Type = string(value)
	case "data":
		if ev.Data != nil {
			ev.Data = append(ev.Data, '\n')
		}
		ev.Data = append(ev.Data, value...)
	case "retry":
		if ms, err := strconv.Atoi(string(value)); err == nil && ms >= 0 {
			f.retry = time.Duration(ms) * time.Millisecond
		}
	}
}
