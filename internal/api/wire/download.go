package wire

import (
	"net/http"
	"time"
)

// readPatience is how long a reader of a download may take for a part of it.
const readPatience = 30 * time.Second

// Download answers with a CSV file that is written while it is sent. write calls
// part before each part of it, which gives its reader time for that. An error of
// write comes too late for an answer of another kind: whoever reads is cut off, so
// that nobody takes a part for the whole.
func Download(w http.ResponseWriter, r *http.Request, name string, write func(part func()) error) error {
	h := w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodHead {
		return nil
	}
	out := http.NewResponseController(w)
	part := func() { _ = out.SetWriteDeadline(time.Now().Add(readPatience)) } // not every writer has one
	if write(part) != nil {
		return out.SetWriteDeadline(time.Unix(1, 0))
	}
	return nil
}
