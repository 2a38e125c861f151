package klen

import (
	"net/http"
	"strings"

	"github.com/callwright/callwright/internal/domain"
)

// contactWords are the words of contacts and context variables for reasons.
var contactWords = map[string]string{
	domain.ReasonMissing:           "missing_parameter",
	domain.ReasonInvalidJSON:       "invalid_json",
	domain.ReasonDuplicateVariable: "duplicate_variable",
	domain.ReasonInvalidValue:      "invalid_value",
	domain.ReasonUndefinedVariable: "undefined_variable",
}

// contactFields are the names of fields in the dialect, by those of the rules.
var contactFields = map[string]string{
	"firstName": "first_name", "lastName": "last_name", "phones": "phone_numbers", "phone": "phone_numbers",
	"industry": "industry_context",
}

// contactShape renders errors of contacts and context variables.
func contactShape(err *domain.Error) (int, any) {
	named := *err
	switch {
	case err.Code == domain.CodeNotFound && err.Noun != "":
		named.Message = err.Noun + " not found or you do not have access"
	case contactFields[err.Field] != "":
		if rest, leads := strings.CutPrefix(err.Message, err.Field); leads {
			named.Message = contactFields[err.Field] + rest
		}
	}
	status, body := Shape(&named)
	word, ok := contactWords[err.Reason]
	if !ok {
		return status, body
	}
	if err.Code == domain.CodeConflict {
		status = http.StatusBadRequest // so the dialect has it
	}
	return status, Fault{Error: word, Message: named.Message}
}

// lacking is the error of a request without a field.
func lacking(field string) error {
	return domain.Invalid(field, "Missing required parameter: %s", field).For(domain.ReasonMissing, "")
}
