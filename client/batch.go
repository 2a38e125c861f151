package client

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"mime/multipart"
	"net/http"
	"time"
)

// StartBatch calls the numbers of a CSV file with the given name. The file is sent
// as it is read; after an answer that never came it is read again from its
// beginning, and calls nobody twice. Contacts in the fields are not sent.
func (c *Client) StartBatch(ctx context.Context, fields BatchFields, name string, file io.ReadSeeker, more ...Option) (*NewBatch, error) {
	texts, err := batchTexts(fields)
	if err != nil {
		return nil, err
	}
	// The boundary stays the same, so that each try has the same Content-Type.
	boundary := multipart.NewWriter(io.Discard).Boundary()
	body := func() (io.ReadCloser, error) {
		if _, err := file.Seek(0, io.SeekStart); err != nil {
			return nil, fmt.Errorf("the file cannot be read from its beginning: %w", err)
		}
		return form(boundary, texts, name, file), nil
	}
	r := request{method: http.MethodPost, path: "/api/v1/batches", contentType: "multipart/form-data; boundary=" + boundary, stream: body}
	return object[NewBatch](ctx, c, r, more)
}

// batchTexts are the fields of a form.
func batchTexts(fields BatchFields) (map[string]string, error) {
	raw, err := json.Marshal(fields)
	if err != nil {
		return nil, err
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil {
		return nil, err
	}
	delete(members, "contacts")
	delete(members, "contactIds")
	texts := make(map[string]string, len(members))
	for name, value := range members {
		var text string
		switch {
		case string(value) == "null": // as when it is not sent
			continue
		case json.Unmarshal(value, &text) != nil:
			text = string(value) // an object
		}
		texts[name] = text
	}
	return texts, nil
}

// form is a form with a file (RFC 7578), written while it is read. Whoever closes
// it waits until the file is let go.
func form(boundary string, texts map[string]string, name string, file io.Reader) io.ReadCloser {
	out, in := io.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		w := multipart.NewWriter(in)
		err := w.SetBoundary(boundary)
		for field, text := range texts {
			if err == nil {
				err = w.WriteField(field, text)
			}
		}
		var part io.Writer
		if err == nil {
			part, err = w.CreateFormFile("file", name)
		}
		if err == nil {
			_, err = io.Copy(part, file)
		}
		if err == nil {
			err = w.Close()
		}
		_ = in.CloseWithError(err) // is always nil
	}()
	return &formReader{out, done}
}

type formReader struct {
	*io.PipeReader
	done chan struct{}
}

// Close ends the form, and returns when the file is not read any more.
func (f *formReader) Close() error {
	err := f.PipeReader.Close()
	<-f.done
	return err
}

// Report says what came of the batch's file; nil when the contacts came as JSON.
func (b *NewBatch) Report() (*SheetReport, error) {
	if b.Sheet == nil {
		return nil, nil
	}
	raw, err := json.Marshal(b.Sheet)
	if err != nil {
		return nil, err
	}
	report := new(SheetReport)
	return report, json.Unmarshal(raw, report)
}

// batchPoll is how often WatchBatch asks.
const batchPoll = time.Second

// WatchBatch follows a batch, from how it stands now to its end: it is asked for
// each second, and told of when it has changed. It ends when the batch and its last
// call are over, with an error, or when the loop is left; the batch goes on
// whatever becomes of it.
func (c *Client) WatchBatch(ctx context.Context, id string, more ...Option) iter.Seq2[*Batch, error] {
	return func(yield func(*Batch, error) bool) {
		last := ""
		for {
			var meta Meta
			batch, err := c.GetBatch(ctx, id, append(more[:len(more):len(more)], Into(&meta))...)
			if err != nil {
				yield(nil, err)
				return
			}
			if meta.ETag != last && !yield(batch, nil) {
				return
			}
			last = meta.ETag
			if over := batch.Status == "completed" || batch.Status == "cancelled"; over && (batch.Counts == nil || batch.Counts.Waiting+batch.Counts.Active == 0) {
				return
			}
			select {
			case <-ctx.Done():
				yield(nil, ctx.Err())
				return
			case <-time.After(batchPoll):
			}
		}
	}
}
