package api

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/callwright/callwright/internal/api/wire"
)

// gzipFrom is the size from which an answer is compressed.
const gzipFrom = 1024

// answer holds a JSON answer back until it is whole, to name its version, to
// leave it out when the client has it, and to compress it. Other answers pass
// through as they are written.
type answer struct {
	http.ResponseWriter
	status  int
	sent    int
	held    *bytes.Buffer // from buffers, while holding what a route writes
	recall  *recollection // nil unless the answer may be remembered
	holding bool
	passing bool // the head is out
}

// WriteHeader notes the status; what kind of answer it is decides the rest.
func (a *answer) WriteHeader(status int) {
	if a.passing || status < http.StatusOK {
		a.ResponseWriter.WriteHeader(status)
		return
	}
	if a.status != 0 {
		return
	}
	a.status = status
	if strings.HasPrefix(a.Header().Get("Content-Type"), "application/json") {
		a.holding = true
		a.held = buffers.Get().(*bytes.Buffer) //nolint:errcheck // the pool holds nothing else
		return
	}
	a.passing = true
	a.ResponseWriter.WriteHeader(status)
}

// Write holds JSON and passes on what is not.
func (a *answer) Write(b []byte) (int, error) {
	if a.status == 0 {
		a.WriteHeader(http.StatusOK)
	}
	if a.holding {
		return a.held.Write(b)
	}
	n, err := a.ResponseWriter.Write(b)
	a.sent += n
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// reset drops an answer that is not out yet.
func (a *answer) reset() {
	if a.passing {
		return
	}
	a.status, a.holding, a.recall = 0, false, nil
	a.free()
	a.Header().Del("ETag")
	a.Header().Del("Content-Encoding")
}

// buffers are what answers are held in.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// largeAnswer is from where on a buffer is not kept for the next answer.
const largeAnswer = 256 << 10

// free gives the buffer of an answer back.
func (a *answer) free() {
	if a.held != nil && a.held.Cap() <= largeAnswer {
		a.held.Reset()
		buffers.Put(a.held)
	}
	a.held = nil
}

// body is what was held, or remembered.
func (a *answer) body() []byte {
	if a.held == nil {
		return a.recall.one.body
	}
	return a.held.Bytes()
}

// finish sends what was held, or remembered.
func (a *answer) finish(r *http.Request) {
	if !a.holding || a.passing {
		return
	}
	defer a.free()
	a.passing = true
	h, body := a.Header(), a.body()
	read := r.Method == http.MethodGet || r.Method == http.MethodHead
	if read && a.status == http.StatusOK {
		if h.Get("ETag") == "" {
			tag := wire.RequestOf(r.Context()).Tag
			if tag == "" {
				tag = wire.TagOf(body)
			}
			h.Set("ETag", tag)
		}
		if h.Get("Cache-Control") == "" {
			h.Set("Cache-Control", "private, no-cache")
		}
		a.recall.learn(h, body)
		if matches(r.Header.Get("If-None-Match"), h.Get("ETag")) {
			h.Del("Content-Type")
			a.status = http.StatusNotModified
			a.ResponseWriter.WriteHeader(a.status)
			return
		}
	}
	h.Add("Vary", "Accept-Encoding")
	if len(body) >= gzipFrom && acceptsGzip(r.Header.Get("Accept-Encoding")) {
		body = a.recall.compressed(body)
		h.Set("Content-Encoding", "gzip")
		if tag := h.Get("ETag"); tag != "" {
			h.Set("ETag", "W/"+tag) // RFC 9110 section 8.8.1: other bytes, same meaning
		}
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	a.ResponseWriter.WriteHeader(a.status)
	n, _ := a.ResponseWriter.Write(body) // a client that is gone needs no answer
	a.sent += n
}

// matches reports whether one of the tags of If-None-Match is tag, by the weak
// comparison of RFC 9110 section 8.8.3.2.
func matches(header, tag string) bool {
	for part := range strings.SplitSeq(header, ",") {
		part = strings.TrimSpace(part)
		if part == "*" || part != "" && strings.TrimPrefix(part, "W/") == tag {
			return true
		}
	}
	return false
}

// acceptsGzip reads Accept-Encoding (RFC 9110 section 12.5.3).
func acceptsGzip(header string) bool {
	for part := range strings.SplitSeq(header, ",") {
		coding, params, _ := strings.Cut(part, ";")
		if !strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			continue
		}
		q, weighted := strings.CutPrefix(strings.ReplaceAll(params, " ", ""), "q=")
		weight, err := strconv.ParseFloat(q, 64)
		return !weighted || err == nil && weight > 0
	}
	return false
}

var gzips = sync.Pool{New: func() any {
	z, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed) // the level is a known one
	return z
}}

func compress(body []byte) []byte {
	var out bytes.Buffer
	z := gzips.Get().(*gzip.Writer) //nolint:errcheck // the pool holds nothing else
	defer gzips.Put(z)
	z.Reset(&out)
	_, _ = z.Write(body) // a bytes.Buffer takes everything
	_ = z.Close()
	return out.Bytes()
}
