package wire

import (
	"testing"

	"github.com/callwright/callwright/internal/domain"
)

func TestETagShown(t *testing.T) {
	alone, one, other := ETagOf(12).ETag, ETagOf(12, "a", "b").ETag, ETagOf(12, "a").ETag
	if alone == one || one == other || alone == other || one != ETagOf(12, "a", "b").ETag {
		t.Error(alone, one, other)
	}
	for _, tag := range []string{alone, one, "W/" + other, " " + one + " "} {
		if v, err := (IfMatch{tag}).Version(); v != 12 || err != nil {
			t.Errorf("%s is version %d, %v", tag, v, err)
		}
	}
	for _, tag := range []string{`"x.0123456789ab"`, `".12"`, `12.0123456789ab`, `"0.0123456789ab"`, `"99999999999999999999.0123456789ab"`} {
		if v, err := (IfMatch{tag}).Version(); domain.CodeOf(err) != domain.CodePrecondition {
			t.Errorf("%s is version %d, %v", tag, v, err)
		}
	}
}
