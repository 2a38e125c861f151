package service

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/phone"
)

// Change is one field of an update: nil leaves what is there.
type Change[T any] = *T

// set stores the new value of a field when one was sent.
func set[T any](field *T, change Change[T]) {
	if change != nil {
		*field = *change
	}
}

// The bounds of texts, in characters.
const (
	maxName    = 200
	maxText    = 4_000
	maxPrompt  = 100_000
	maxBlob    = 64 << 10 // bytes of variables as JSON
	maxSeconds = 14_400
)

// text checks the length of a text.
func text(field, value string, most int) error {
	if n := utf8.RuneCountInString(value); n > most {
		return domain.Invalid(field, "%s is %d characters long; at most %d are allowed", field, n, most)
	}
	return nil
}

// name checks a name: there must be one.
func name(field, value string) error {
	if strings.TrimSpace(value) == "" {
		return domain.Invalid(field, "%s is required and must not be empty", field)
	}
	return text(field, value, maxName)
}

// number checks that value is a phone number.
func number(field, value string) error {
	if err := phone.Valid(value); err != nil {
		return domain.Invalid(field, "%s %s", field, err).For(domain.ReasonInvalidNumber, "")
	}
	return nil
}

// callDuration checks the longest time that a call may take.
func callDuration(field string, d time.Duration) error {
	if d < time.Second || d > maxSeconds*time.Second {
		return domain.Invalid(field, "%s must be from 1 to %d seconds", field, maxSeconds)
	}
	return nil
}

// languageTag is the shape of a BCP 47 tag (RFC 5646 section 2.1), without its
// grandfathered forms.
var languageTag = regexp.MustCompile(`^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$`)

func language(field, value string) error {
	if !languageTag.MatchString(value) || len(value) > 35 {
		return domain.Invalid(field, "%s must be a BCP 47 language tag such as en-US", field)
	}
	return nil
}

// variables checks that variables are not too big to go along with every call.
func variables(field string, vars map[string]any) error {
	if len(vars) == 0 {
		return nil
	}
	raw, err := json.Marshal(vars)
	if err != nil {
		return domain.Invalid(field, "%s cannot be written as JSON", field)
	}
	if len(raw) > maxBlob {
		return domain.Invalid(field, "%s take %d bytes as JSON; at most %d are allowed", field, len(raw), maxBlob)
	}
	return nil
}

// oneOf checks that value is one of a closed list of words.
func oneOf(field, value string, words ...string) error {
	for _, w := range words {
		if w == value {
			return nil
		}
	}
	return domain.Invalid(field, "%s must be one of: %s", field, strings.Join(words, ", "))
}

// within checks a whole number.
func within(field string, value, least, most int) error {
	if value < least || value > most {
		return domain.Invalid(field, "%s must be from %d to %d", field, least, most)
	}
	return nil
}

// first returns the first of several checks that failed.
func first(checks ...error) error {
	for _, err := range checks {
		if err != nil {
			return err
		}
	}
	return nil
}

// room refuses one object more than the plan allows.
func room(plan domain.Plan, limit, have int, noun string) error {
	if limit == domain.Unlimited || have < limit {
		return nil
	}
	return domain.Errorf(domain.CodeLimitReached,
		"the %s plan allows %d %s and the workspace has %d; delete one or change the plan", plan, limit, noun, have)
}

// label names an object in a message.
func label(noun, name string, id domain.ID) string {
	if name == "" {
		return fmt.Sprintf("%s %s", noun, id)
	}
	return fmt.Sprintf("%s %q (%s)", noun, name, id)
}
