package compliance

import (
	"strings"
	"testing"

	"github.com/callwright/callwright/internal/domain"
)

// TestRulesAreChecked: a slip of the pen in the file is found when it is read,
// and not when somebody is called.
func TestRulesAreChecked(t *testing.T) {
	const good = `{"version": "1", "groups": {"sales": ["marketing", "unspecified"]}, "consents": [{"where": "*", "for": ["marketing"], "source": "s"}], "holidays": {"US": ["07-04"]}, "rules": [{"id": "x", "where": "US", "for": ["sales", "debt"], "days": ["mon-fri 09:00-20:00"], "holidays": ["US"], "source": "s"}]}`
	if b, err := parse([]byte(good)); err != nil || len(b.For("US", "")) != 1 {
		t.Fatalf("%+v, %v", b, err)
	}
	for p, want := range map[domain.Purpose]int{domain.PurposeMarketing: 1, domain.PurposeDebt: 1, domain.PurposeSurvey: 0, "": 1, "other": 1} {
		b, err := parse([]byte(good))
		if err != nil || len(b.Of(p).For("US", "")) != want || b.Of(p).AsksConsent() != (p == domain.PurposeMarketing) {
			t.Errorf("%q: %+v, %v", p, b.Of(p), err)
		}
	}
	for _, slip := range [][2]string{
		{`mon-fri`, `mon-fry`}, {`09:00`, `9:00`}, {`20:00`, `08:00`}, {`["US"]`, `["UK"]`}, {`07-04`, `13-04`}, {`07-04`, `mon#0-07`},
		{`"source"`, `"sauce"`}, {`"source"`, `"observed": "never", "source"`}, {`"source"`, `"caps": {"hours24": -1}, "source"`},
		{`"source"`, `"caps": {"hours25": 3}, "source"`}, {`"rules"`, `"rule"`},
		{`["sales", "debt"]`, `["sales", "debts"]`}, {`["marketing", "unspecified"]`, `["selling"]`}, {`["marketing"], "source"`, `["sale"], "source"`}, {`"for"`, `"of"`}, {`}]}`, `}]`},
	} {
		bad := strings.Replace(good, slip[0], slip[1], 1)
		if bad == good {
			t.Fatalf("%q is not there", slip[0])
		}
		if _, err := parse([]byte(bad)); err == nil {
			t.Errorf("%q for %q is taken", slip[1], slip[0])
		}
	}
}
