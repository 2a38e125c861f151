package trillet

import (
	"cmp"
	"strings"

	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/sheet"
)

// BatchFault is the body of the errors of batch calls.
type BatchFault struct {
	Error   string     `json:"error"`
	Message string     `json:"message" doc:"What was wrong, where, and what to do."`
	ID      string     `json:"id,omitempty" doc:"The batch that was not found."`
	Errors  []RowFault `json:"errors,omitempty" doc:"What is wrong with the rows of the file: the first 100."`
}

// RowFault says what is wrong with a row of a file.
type RowFault struct {
	Row     int    `json:"row" doc:"The line of the file; the header is 1."`
	Column  string `json:"column" doc:"As the header has it; empty when the whole row is at fault."`
	Message string `json:"message"`
	Value   string `json:"value" doc:"The cell, at most 64 bytes of it."`
}

func rowFaults(faults []sheet.Fault) []RowFault {
	out := make([]RowFault, len(faults))
	for i, f := range faults {
		out[i] = RowFault{Row: f.Line, Column: f.Column, Message: f.Reason, Value: f.Value}
	}
	return out
}

// batchWords are what errors of batches are called, where that is not what they
// say.
var batchWords = map[domain.Code]string{
	domain.CodeTooLarge: "File too large", domain.CodeUnsupportedMedia: "Invalid file", domain.CodeUnavailable: "Service unavailable",
	domain.CodeInternal: "Internal server error", domain.CodeConflict: "Conflict", domain.CodeMismatch: "Idempotency mismatch",
	domain.CodeMethod: "Method not allowed", domain.CodePrecondition: "Precondition failed",
}

// batchNouns are the dialect's words for what was not found, where they are others.
var batchNouns = map[string]string{"Contact": "Call"}

// BatchShape renders the errors of batch calls: {"error","message"}, and those of
// keys, rates and credits as Shape does.
func BatchShape(err *domain.Error) (int, any) {
	status := wire.StatusOf(err.Code)
	out := BatchFault{Error: batchWords[err.Code], Message: err.Message}
	switch err.Code {
	case domain.CodeUnauthorized, domain.CodeForbidden, domain.CodeRateLimited, domain.CodePayment, domain.CodeLimitReached:
		return Shape(err)
	case domain.CodeNotFound:
		out.Error = cmp.Or(batchNouns[err.Noun], err.Noun, "Path") + " not found"
		out.ID, _ = err.Detail.(string)
	case domain.CodeInvalid:
		out.Error = err.Message
		if details, ok := misconfigured(err); ok {
			out.Error, out.Message = "Invalid configuration", details
		}
		if faults, ok := err.Detail.([]sheet.Fault); ok {
			out.Error, out.Errors = "Invalid CSV file", rowFaults(faults)
		}
	}
	return status, out
}

// batchMissing adds the id that a client asked for to the error that there is no
// such batch.
func batchMissing(err error, id domain.ID) error {
	if domain.CodeOf(err) != domain.CodeNotFound || !id.Valid() {
		return err
	}
	missing := *wire.Public(err)
	if missing.Noun == "Batch" {
		missing.Detail = string(id)
	}
	return &missing
}

// bare is an id that may be written with a prefix of the vendor's.
func bare(id domain.ID, prefix string) domain.ID {
	if rest := domain.ID(strings.TrimPrefix(string(id), prefix)); rest.Valid() {
		return rest
	}
	return id
}
