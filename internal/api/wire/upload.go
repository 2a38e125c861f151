package wire

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/callwright/callwright/internal/domain"
)

// Form says that a route takes a file: in a form (multipart/form-data, RFC 7578),
// in which it is the field "file", or as the body.
type Form struct {
	MaxFile int64       // bytes of the file; 0 is as many as the disk has room for
	Fields  []FormField // beside the file, for the contract
	Bare    bool        // a body of text/csv is the file
	JSON    bool        // JSON is taken as well; a file is none of its fields
}

// FormField is a field of a form.
type FormField struct {
	Name, Doc string
	Required  bool
}

// FileField is the name of the field that has the file.
const FileField = "file"

// Upload is a form that was sent. The file is on disk when it is large, and is
// gone when the request was answered.
type Upload struct {
	FileName string // as the client says, or ""
	fields   map[string]string
	file     *spool // nil: none was sent
}

// UploadOf returns what was sent to a route with a Form; nil for JSON.
func UploadOf(ctx context.Context) *Upload { return RequestOf(ctx).upload }

// Field returns the value of a field, "" when it was not sent.
func (u *Upload) Field(name string) string { return strings.TrimSpace(u.fields[name]) }

// File returns the file from its beginning, each time. A form without one is
// CodeInvalid.
func (u *Upload) File() (io.Reader, error) {
	if u == nil || u.file == nil {
		return nil, domain.Invalid(FileField, `file is required: send a form (multipart/form-data) whose field "file" is a CSV file`).
			For(domain.ReasonMissing, "")
	}
	return u.file.reader(), nil
}

// Base is the name of the file, at most 200 characters of it; usual when it has none.
func (u *Upload) Base(usual string) string {
	name := []rune(strings.TrimSpace(strings.ToValidUTF8(u.FileName, "")))
	if len(name) == 0 {
		return usual
	}
	return string(name[:min(len(name), maxName)])
}

// maxName is how many characters the name of an object may have.
const maxName = 200

// Known refuses fields that are not among names.
func (u *Upload) Known(names ...string) error {
	for name := range u.fields {
		if !slices.Contains(names, name) {
			return domain.Invalid(clip(name, 200), "%s is not a field that is known here; check its spelling and case", clip(name, 200))
		}
	}
	return nil
}

// close removes the file.
func (u *Upload) close() {
	if u != nil && u.file != nil {
		u.file.close()
	}
}

// The bounds of a form without its file.
const (
	maxFields = 64
	maxField  = 64 << 10
	maxOther  = MaxBody // bytes of a form that are not the file's
)

// isJSON reports whether a request for a route with a form is one of JSON.
func (f *Form) isJSON(r *http.Request) bool {
	if !f.JSON {
		return false
	}
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err != nil || strings.HasSuffix(media, "json")
}

// read takes the form of a request. Its file goes to dir, or where temporary files
// are for "".
func (f *Form) read(w http.ResponseWriter, r *http.Request, dir string) (*Upload, error) {
	media, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	u := &Upload{fields: make(map[string]string)}
	if r.ContentLength == 0 || r.Body == nil {
		return u, nil // what is missing is for the route to say
	}
	body, release, refused := f.body(w, r)
	if refused != nil {
		return nil, refused
	}
	defer release()
	switch {
	case err == nil && f.Bare && media == "text/csv":
		u.file, err = f.keep(body, dir)
	case err == nil && media == "multipart/form-data" && params["boundary"] != "":
		err = f.parts(multipart.NewReader(body, params["boundary"]), u, dir)
	case media == "multipart/form-data":
		err = domain.Invalid("", "Content-Type names no boundary: let the HTTP library make the form and its Content-Type")
	default:
		err = domain.Errorf(domain.CodeUnsupportedMedia, "%s", f.wanted())
	}
	if err != nil {
		u.close()
		return nil, broken(err)
	}
	return u, nil
}

func (f *Form) wanted() string {
	text := `the request must be a form (multipart/form-data) whose field "file" is a CSV file`
	if f.Bare {
		text += ", or a body of text/csv"
	}
	if f.JSON {
		text += ", or JSON"
	}
	return text
}

// parts reads the parts of a form into u.
func (f *Form) parts(form *multipart.Reader, u *Upload, dir string) error {
	for range maxFields {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		name := part.FormName()
		switch {
		case name == FileField && u.file == nil:
			u.FileName = part.FileName()
			u.file, err = f.keep(part, dir)
		case name == FileField || u.has(name):
			return domain.Invalid(clip(name, 200), "%s is there twice; send it once", clip(name, 200))
		default:
			u.fields[name], err = valueOf(part)
		}
		if err != nil {
			return err
		}
	}
	return domain.Invalid("", "the form has more than %d fields", maxFields)
}

func (u *Upload) has(name string) bool {
	_, there := u.fields[name]
	return there
}

// valueOf reads a field that is text.
func valueOf(part *multipart.Part) (string, error) {
	raw, err := io.ReadAll(io.LimitReader(part, maxField+1))
	name := clip(part.FormName(), 200)
	switch {
	case err != nil:
		return "", err
	case len(raw) > maxField:
		return "", domain.Invalid(name, "%s has more than %d bytes", name, maxField)
	case !utf8.Valid(raw):
		return "", domain.Invalid(name, "%s must be UTF-8", name)
	}
	return string(raw), nil
}

// keep stores a file.
func (f *Form) keep(from io.Reader, dir string) (*spool, error) {
	s := newSpool(dir)
	if f.MaxFile > 0 {
		from = io.LimitReader(from, f.MaxFile+1)
	}
	n, err := io.Copy(s, from)
	if err == nil && f.MaxFile > 0 && n > f.MaxFile {
		err = f.tooLarge()
	}
	if err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (f *Form) tooLarge() error {
	return domain.Errorf(domain.CodeTooLarge, "the file is over %d MB; split it", f.MaxFile>>20)
}

// broken is what a client is told of a form that could not be read.
func broken(err error) error {
	var known *domain.Error
	if errors.As(err, &known) {
		return err
	}
	return domain.Invalid("", "the request body could not be read to its end: it broke off, or is not a form")
}

// patience is how long a client may send nothing.
const patience = 30 * time.Second

// body opens the body of a request. It is read as long as it comes: the time that
// the server has for requests is that of small ones. release ends that.
func (f *Form) body(w http.ResponseWriter, r *http.Request) (body io.Reader, release func(), err error) {
	conn := http.NewResponseController(w)
	release = func() { _ = conn.SetReadDeadline(time.Time{}) } // where there is no connection, nobody waits
	limit := func(from io.Reader) io.Reader { return from }
	if f.MaxFile > 0 {
		most := f.MaxFile + maxOther
		if r.ContentLength > most {
			return nil, nil, f.tooLarge()
		}
		limit = func(from io.Reader) io.Reader { return &bounded{from, most, f.tooLarge()} }
	}
	body = limit(paced{r.Body, conn})
	switch strings.ToLower(strings.TrimSpace(r.Header.Get("Content-Encoding"))) {
	case "", "identity":
		return body, release, nil
	case "gzip", "x-gzip":
		if f.MaxFile == 0 {
			return nil, nil, domain.Errorf(domain.CodeUnsupportedMedia, "Content-Encoding must be absent: a file of any size is taken as it is")
		}
		inflated, err := gzip.NewReader(body)
		if err != nil {
			release()
			return nil, nil, domain.Invalid("", "the request body is not valid gzip")
		}
		return limit(inflated), release, nil
	}
	return nil, nil, domain.Errorf(domain.CodeUnsupportedMedia, "Content-Encoding must be gzip or absent")
}

// paced reads from a connection that has time as long as something comes.
type paced struct {
	io.Reader
	conn *http.ResponseController
}

// Read waits for the next bytes.
func (p paced) Read(b []byte) (int, error) {
	_ = p.conn.SetReadDeadline(time.Now().Add(patience)) // where there is no connection, nobody waits
	return p.Reader.Read(b)
}

// bounded reads so many bytes, and fails when there are more.
type bounded struct {
	io.Reader
	left   int64
	refuse error
}

// Read reads what is left.
func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if b.left -= int64(n); b.left < 0 {
		b.left = 0
		return 0, b.refuse
	}
	return n, err
}

// digest is what makes two forms the same: names and values, whatever their order
// and how the form was put together.
func (u *Upload) digest() []byte {
	names := make([]string, 0, len(u.fields))
	for name := range u.fields {
		names = append(names, name)
	}
	slices.Sort(names)
	var all []byte
	for _, name := range names {
		all = fmt.Appendf(all, "%q=%q;", name, u.fields[name])
	}
	if u.file != nil {
		all = append(all, u.file.sum()...)
	}
	return all
}

// describe tells the contract of a form.
func (f *Form) describe(op *huma.Operation) {
	file := &huma.Schema{Type: huma.TypeString, Format: "binary", Description: "CSV. Its first line names the columns, of which phone_number is one."}
	form := &huma.Schema{Type: huma.TypeObject, Required: []string{FileField}, Properties: map[string]*huma.Schema{FileField: file}}
	for _, field := range f.Fields {
		form.Properties[field.Name] = &huma.Schema{Type: huma.TypeString, Description: field.Doc}
		if field.Required {
			form.Required = append(form.Required, field.Name)
		}
	}
	if op.RequestBody == nil {
		op.RequestBody = &huma.RequestBody{Required: true, Content: make(map[string]*huma.MediaType)}
	}
	op.RequestBody.Content["multipart/form-data"] = &huma.MediaType{Schema: form}
	if f.Bare {
		op.RequestBody.Content["text/csv"] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}
	}
}
