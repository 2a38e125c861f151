package rule

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/phone"
)

// Change is one field of an update: nil leaves what is there.
type Change[T any] = *T

// Set stores the new value of a field when one was sent.
func Set[T any](field *T, change Change[T]) {
	if change != nil {
		*field = *change
	}
}

// The bounds of texts, in characters.
const (
	MaxName    = 200
	MaxText    = 4_000
	MaxPrompt  = 100_000
	MaxBlob    = 64 << 10  // bytes of variables as JSON
	MaxGraph   = 512 << 10 // bytes of what a flow keeps for a dialect as JSON
	MaxSeconds = 14_400
)

// Text checks the length of a text.
func Text(field, value string, most int) error {
	if n := utf8.RuneCountInString(value); n > most {
		return domain.Invalid(field, "%s is %d characters long; at most %d are allowed", field, n, most)
	}
	return nil
}

// Name checks a name: there must be one.
func Name(field, value string) error {
	if strings.TrimSpace(value) == "" {
		return domain.Invalid(field, "%s is required and must not be empty", field)
	}
	return Text(field, value, MaxName)
}

// Number checks that value is a phone number.
func Number(field, value string) error {
	if err := phone.Exact(value); err != nil {
		return domain.Invalid(field, "%s %s", field, err).For(domain.ReasonInvalidNumber, "")
	}
	return nil
}

// CallDuration checks the longest time that a call may take.
func CallDuration(field string, d time.Duration) error {
	if d < time.Second || d > MaxSeconds*time.Second {
		return domain.Invalid(field, "%s must be from 1 to %d seconds", field, MaxSeconds)
	}
	return nil
}

// languageTag is the shape of a BCP 47 tag (RFC 5646 section 2.1), without its
// grandfathered forms.
var languageTag = regexp.MustCompile(`^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$`)

// LanguageTag reports whether an agent may have s as its language.
func LanguageTag(s string) bool { return languageTag.MatchString(s) && len(s) <= 35 }

// Language checks that value is a language tag (BCP 47).
func Language(field, value string) error {
	if !LanguageTag(value) {
		return domain.Invalid(field, "%s must be a BCP 47 language tag such as en-US", field)
	}
	return nil
}

// Variables checks that variables are not too big to go along with every call.
func Variables(field string, vars map[string]any) error { return Blob(field, vars, MaxBlob) }

// Blob checks the size of an object as JSON.
func Blob(field string, vars map[string]any, most int) error {
	if len(vars) == 0 {
		return nil
	}
	raw, err := json.Marshal(vars)
	if err != nil {
		return domain.Invalid(field, "%s cannot be written as JSON", field)
	}
	if len(raw) > most {
		return domain.Invalid(field, "%s take %d bytes as JSON; at most %d are allowed", field, len(raw), most)
	}
	return nil
}

// OneOf checks that value is one of a closed list of words.
func OneOf[T ~string](field string, value T, words ...T) error {
	if slices.Contains(words, value) {
		return nil
	}
	list := make([]string, len(words))
	for i, w := range words {
		list[i] = string(w)
	}
	return domain.Invalid(field, "%s must be one of: %s", field, strings.Join(list, ", "))
}

// Within checks a whole number.
func Within(field string, value, least, most int) error {
	if value < least || value > most {
		return domain.Invalid(field, "%s must be from %d to %d", field, least, most)
	}
	return nil
}

// First returns the first of several checks that failed.
func First(checks ...error) error {
	for _, err := range checks {
		if err != nil {
			return err
		}
	}
	return nil
}

// Room refuses one object more than the plan allows.
func Room(plan domain.Plan, limit, have int, noun string) error {
	if limit == domain.Unlimited || have < limit {
		return nil
	}
	return domain.Errorf(domain.CodeLimitReached,
		"the %s plan allows %d %s and the workspace has %d; delete one or change the plan", plan, limit, noun, have)
}

// Label names an object in a message.
func Label(noun, name string, id domain.ID) string {
	if name == "" {
		return fmt.Sprintf("%s %s", noun, id)
	}
	return fmt.Sprintf("%s %q (%s)", noun, name, id)
}

// Merged is both maps in one; the values of over win.
func Merged(under, over map[string]any) map[string]any {
	if len(under) == 0 && len(over) == 0 {
		return nil
	}
	all := make(map[string]any, len(under)+len(over))
	maps.Copy(all, under)
	maps.Copy(all, over)
	return all
}

// Key refuses what is no key of a telephone, or "" for none.
func Key(field, key string) error {
	if key == "" || len(key) == 1 && strings.Contains("0123456789*#", key) {
		return nil
	}
	return domain.Invalid(field, "%s must be one key, 0 to 9, * or #, or empty for none", field)
}
