package wire_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service/access"
)

// uploading is a server with a route for each kind of form, which answers with
// what it got.
func uploading(t *testing.T, dir string) string {
	t.Helper()
	rt := wire.NewRouter(wire.RouterOptions{Title: "test", Version: "1", Uploads: dir, ErrorBody: struct{}{}, Shape: func(err *domain.Error) (int, any) {
		return wire.StatusOf(err.Code), map[string]string{"error": err.Message}
	}})
	type got struct{ Body map[string]string }
	echo := func(ctx context.Context, json string) (*got, error) {
		u := wire.UploadOf(ctx)
		if u == nil {
			return &got{map[string]string{"json": json}}, nil
		}
		if err := u.Known("a", "b"); err != nil {
			return nil, err
		}
		file, err := u.File()
		if err != nil {
			return nil, err
		}
		first, err := io.ReadAll(file)
		if err != nil {
			return nil, err
		}
		again, err := u.File()
		if err != nil {
			return nil, err
		}
		second, err := io.ReadAll(again)
		if err != nil || !bytes.Equal(first, second) {
			t.Errorf("the file is another one when it is read again: %v", err)
		}
		content := string(first)
		if len(content) > 100 {
			content = strings.Repeat("x", 10)
			if strings.Trim(string(first), "x") != "" {
				content = "damaged"
			}
		}
		return &got{map[string]string{"a": u.Field("a"), "b": u.Field("b"), "name": u.FileName, "file": content}}, nil
	}
	wire.Handle(rt, wire.Route{Method: "POST", Path: "/small", ID: "small", Summary: "s", Scope: wire.AnyScope, Form: &wire.Form{MaxFile: 1 << 20}},
		func(ctx context.Context, _ *struct{}) (*got, error) { return echo(ctx, "") })
	wire.Handle(rt, wire.Route{Method: "POST", Path: "/any", ID: "any", Summary: "s", Scope: wire.AnyScope, Form: &wire.Form{Bare: true, JSON: true}},
		func(ctx context.Context, in *struct {
			Body struct {
				A wire.Opt[string] `json:"a,omitzero"`
			}
		}) (*got, error) {
			return echo(ctx, in.Body.A.Value)
		})
	if err := rt.Err(); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		caller := &wire.Caller{Identity: &access.Identity{}}
		rt.ServeHTTP(w, r.WithContext(wire.WithRequest(r.Context(), &wire.Request{Caller: caller})))
	}))
	server.Config.ReadTimeout = 300 * time.Millisecond
	server.Start()
	t.Cleanup(func() {
		server.Close()
		http.DefaultClient.CloseIdleConnections()
	})
	return server.URL
}

// formOf makes a form of names and values in their order; the value of "file" is
// that of a file.
func formOf(t *testing.T, pairs ...string) (contentType, body string) {
	t.Helper()
	var buf bytes.Buffer
	form := multipart.NewWriter(&buf)
	for i := 0; i < len(pairs); i += 2 {
		var part io.Writer
		var err error
		if pairs[i] == wire.FileField {
			part, err = form.CreateFormFile(wire.FileField, "list.csv")
		} else {
			part, err = form.CreateFormField(pairs[i])
		}
		if err == nil {
			_, err = io.WriteString(part, pairs[i+1])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := form.Close(); err != nil {
		t.Fatal(err)
	}
	return form.FormDataContentType(), buf.String()
}

func posted(t *testing.T, url, contentType, body string, headers ...string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(raw)
}

// TestUploads sends forms in the ways in which clients do, and in which they should
// not.
func TestUploads(t *testing.T) {
	dir := t.TempDir()
	url := uploading(t, dir)
	large := strings.Repeat("x", 1<<20)
	form := func(pairs ...string) [2]string {
		contentType, body := formOf(t, pairs...)
		return [2]string{contentType, body}
	}
	cut := form("file", large)
	cut[1] = cut[1][:len(cut[1])-100]
	many := []string{"file", "x"}
	for range 70 {
		many = append(many, "n"+strings.Repeat("m", len(many)), "v")
	}
	for name, c := range map[string]struct {
		path   string
		send   [2]string
		status int
		says   string
	}{
		"fields first":        {"/small", form("a", "1", "b", " 2 ", "file", "x"), 200, `{"a":"1","b":"2","file":"x","name":"list.csv"}`},
		"file first":          {"/small", form("file", "x", "a", "1"), 200, `{"a":"1","b":"","file":"x","name":"list.csv"}`},
		"no file":             {"/small", form("a", "1"), 400, "file is required"},
		"an empty file":       {"/small", form("file", ""), 200, `"file":""`},
		"nothing":             {"/small", [2]string{}, 400, "file is required"},
		"JSON to forms only":  {"/small", [2]string{"application/json", "{}"}, 415, "multipart/form-data"},
		"CSV to forms only":   {"/small", [2]string{"text/csv", "a,b"}, 415, "multipart/form-data"},
		"no type":             {"/small", [2]string{"", "a,b"}, 415, "multipart/form-data"},
		"as large as allowed": {"/small", form("file", large), 200, `"file":"xxxxxxxxxx"`},
		"one byte larger":     {"/small", form("file", large+"x"), 413, "over 1 MB"},
		"far larger":          {"/small", form("file", large+large+large), 413, "over 1 MB"},
		"large to no limit":   {"/any", form("file", large+large+large), 200, `"file":"xxxxxxxxxx"`},
		"broken off":          {"/small", cut, 400, "broke off"},
		"twice the file":      {"/small", form("file", "x", "file", "y"), 400, "file is there twice"},
		"twice a field":       {"/small", form("a", "x", "a", "y", "file", "y"), 400, "a is there twice"},
		"an unknown field":    {"/small", form("c", "x", "file", "y"), 400, "c is not a field"},
		"a long field":        {"/small", form("a", strings.Repeat("x", 70_000), "file", "y"), 400, "more than 65536 bytes"},
		"no text":             {"/small", form("a", "\xff", "file", "y"), 400, "UTF-8"},
		"many fields":         {"/small", form(many...), 400, "more than 64 fields"},
		"no boundary":         {"/small", [2]string{"multipart/form-data", "x"}, 400, "boundary"},
		"another boundary":    {"/small", [2]string{"multipart/form-data; boundary=y", "--x\r\n\r\n--x--"}, 400, "file is required"},
		"bare":                {"/any", [2]string{"text/csv; charset=utf-8", "a,b"}, 200, `"file":"a,b"`},
		"JSON":                {"/any", [2]string{"application/json", `{"a":"1"}`}, 200, `{"json":"1"}`},
		"neither":             {"/any", [2]string{"text/html", "<p>"}, 415, "JSON"},
	} {
		status, body := posted(t, url+c.path, c.send[0], c.send[1])
		if status != c.status || !strings.Contains(body, c.says) {
			t.Errorf("%s: %d %s, want %d %s", name, status, body, c.status, c.says)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("files are left: %v, %v", left, err)
	}
	gone := uploading(t, dir+"/gone")
	contentType, body := formOf(t, "file", large)
	if status, answer := posted(t, gone+"/small", contentType, body); status != 503 || strings.Contains(answer, dir) {
		t.Errorf("without a place for files: %d %s", status, answer)
	}
}

// TestUploadInflated: what a form becomes is bounded, too.
func TestUploadInflated(t *testing.T) {
	url := uploading(t, t.TempDir())
	zipped := func(size int) (contentType, body string) {
		contentType, plain := formOf(t, "file", strings.Repeat("x", size))
		var buf bytes.Buffer
		z := gzip.NewWriter(&buf)
		if _, err := io.WriteString(z, plain); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		return contentType, buf.String()
	}
	for size, want := range map[int]int{1 << 20: 200, 1<<20 + 1: 413, 20 << 20: 413} {
		contentType, body := zipped(size)
		if status, answer := posted(t, url+"/small", contentType, body, "Content-Encoding", "gzip"); status != want {
			t.Errorf("%d bytes: %d %s", size, status, answer)
		}
	}
	contentType, body := zipped(10)
	if status, _ := posted(t, url+"/any", contentType, body, "Content-Encoding", "gzip"); status != 415 {
		t.Errorf("without a limit: %d", status)
	}
	if status, _ := posted(t, url+"/small", contentType, body, "Content-Encoding", "br"); status != 415 {
		t.Errorf("brotli: %d", status)
	}
	if status, _ := posted(t, url+"/small", contentType, "no gzip", "Content-Encoding", "gzip"); status != 400 {
		t.Errorf("no gzip: %d", status)
	}
}

// TestUploadSlow: a file that takes longer than requests may is taken as long as
// it comes.
func TestUploadSlow(t *testing.T) {
	url := uploading(t, t.TempDir())
	contentType, body := formOf(t, "file", "xyz")
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	head := "POST /small HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: " + contentType + "\r\nTransfer-Encoding: chunked\r\n\r\n"
	if _, err := io.WriteString(conn, head); err != nil {
		t.Fatal(err)
	}
	const pieces = 6
	for i := range pieces { // 600 ms of the 300 that a request has
		piece := body[i*len(body)/pieces : (i+1)*len(body)/pieces]
		chunk := []byte(strings.ToUpper(hexOf(len(piece))) + "\r\n" + piece + "\r\n")
		if _, err := conn.Write(chunk); err != nil {
			t.Fatal(err)
		}
		time.Sleep(100 * time.Millisecond)
	}
	if _, err := io.WriteString(conn, "0\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil && !errors.Is(err, io.EOF) || !strings.Contains(string(answer), `"file":"xyz"`) {
		t.Fatalf("%s, %v", answer, err)
	}
}

func hexOf(n int) string {
	const digits = "0123456789abcdef"
	if n < 16 {
		return digits[n : n+1]
	}
	return hexOf(n/16) + digits[n%16:n%16+1]
}
