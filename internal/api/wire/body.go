package wire

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/callwright/callwright/internal/domain"
)

// MaxBody is how many bytes a JSON request may have, after inflation.
const MaxBody = 1 << 20

// readJSON reads the body of a request, inflates it, and checks it. An absent
// body is nil.
func readJSON(r *http.Request) ([]byte, error) {
	raw, err := readBody(r)
	if err != nil || len(raw) == 0 {
		return nil, err
	}
	if err := jsonMedia(r.Header.Get("Content-Type")); err != nil {
		return nil, err
	}
	return raw, CheckJSON(raw)
}

// jsonMedia refuses bodies that say they are something else than JSON.
func jsonMedia(contentType string) error {
	if contentType == "" {
		return nil
	}
	media, params, err := mime.ParseMediaType(contentType)
	if err == nil && (media == "application/json" || strings.HasPrefix(media, "application/") && strings.HasSuffix(media, "+json")) {
		if charset := params["charset"]; charset == "" || strings.EqualFold(charset, "utf-8") {
			return nil
		}
	}
	return domain.Errorf(domain.CodeUnsupportedMedia, "the request body must be JSON in UTF-8, sent with Content-Type: application/json")
}

// readBody reads at most MaxBody bytes of body after inflation.
func readBody(r *http.Request) ([]byte, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return nil, nil
	}
	if r.ContentLength > MaxBody {
		return nil, tooLarge()
	}
	var from io.Reader = r.Body
	switch strings.ToLower(strings.TrimSpace(r.Header.Get("Content-Encoding"))) {
	case "", "identity":
	case "gzip", "x-gzip":
		// What is inflated is bounded below; what is sent can be no longer.
		inflated, err := gzip.NewReader(io.LimitReader(r.Body, MaxBody+1))
		if err != nil {
			return nil, domain.Invalid("", "the request body is not valid gzip")
		}
		from = inflated
	default:
		return nil, domain.Errorf(domain.CodeUnsupportedMedia, "Content-Encoding must be gzip or absent")
	}
	var buf bytes.Buffer
	_, err := io.Copy(&buf, io.LimitReader(from, MaxBody+1))
	var asked *http.MaxBytesError
	switch {
	case buf.Len() > MaxBody || errors.As(err, &asked):
		return nil, tooLarge()
	case err != nil:
		return nil, domain.Invalid("", "the request body could not be read to its end")
	}
	return buf.Bytes(), nil
}

func tooLarge() error {
	return domain.Errorf(domain.CodeTooLarge, "the request body is over %d bytes; send less at once", MaxBody)
}
