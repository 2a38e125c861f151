package phone_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/phone"
)

// TestZonesOfNumbers has numbers of which the numbering plans' data knows too
// little, and others beside them.
func TestZonesOfNumbers(t *testing.T) {
	at := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	for number, want := range map[string]string{
		// Australia.
		"+61740123456": "Brisbane", "+61755123456": "Brisbane", "+61267661234": "Sydney", "+61892123456": "Adelaide Darwin Perth",
		"+61412345678": "Adelaide Brisbane Darwin Melbourne Perth Sydney",
		// Europe and Africa.
		"+79161234567": "", "+74951234567": "Moscow", "+74012123456": "Kaliningrad", "+212522123456": "Casablanca", "+970599123456": "Gaza Hebron",
		"+447911123456": "Guernsey Isle_of_Man London", "+34612345678": "Canary Madrid", "+34922123456": "Canary", "+34911234567": "Madrid",
		"+351912345678": "Azores Lisbon",
		// Asia.
		"+628111234567": "Jakarta Jayapura Makassar", "+622112345678": "Jakarta", "+8613812345678": "Shanghai",
		// South America, mobile numbers by their codes.
		"+5511987654321": "Sao_Paulo", "+5568987654321": "Rio_Branco", "+5592987654321": "Manaus", "+5597987654321": "Eirunepe Manaus",
		"+5581987654321": "Noronha Recife", "+56221234567": "Santiago", "+56322123456": "Easter Santiago", "+56961234567": "Easter Punta_Arenas Santiago",
		// North America: codes with two zones, whatever the exchange.
		"+12705551234": "Chicago New_York", "+13645551234": "Chicago New_York", "+12702001234": "Chicago New_York", "+18505551234": "Chicago New_York",
		"+18125551234": "Chicago New_York", "+13085551234": "Chicago Denver", "+16055551234": "Chicago Denver", "+17015551234": "Chicago Denver",
		"+19285551234": "Denver Phoenix", "+19075551234": "Adak Anchorage", "+15415551234": "Boise Los_Angeles", "+19065551234": "Chicago New_York",
		"+18675551234": "Iqaluit Rankin_Inlet Whitehorse Yellowknife", "+18075551234": "Atikokan Toronto Winnipeg",
		"+12505551234": "Edmonton Fort_Nelson Vancouver", "+17095551234": "Goose_Bay St_Johns",
		"+16155551234": "Chicago", "+16045551234": "Vancouver", "+12125551234": "New_York", "+14165551234": "Toronto", "+17875551234": "Puerto_Rico",
		// Those that are of no place, or may not be called at all.
		"+15005550006": "", "+15225551234": "", "+18885551234": "", "+19005551234": "", "+870773111632": "", "+881612345678": "", "+88213123456": "",
		"+8831000123456": "", "+979123456789": "",
	} {
		n, err := phone.Parse(number)
		if err != nil {
			t.Errorf("%s: %v", number, err)
			continue
		}
		places, err := phone.Places(n, at)
		var names []string
		for _, z := range places {
			names = append(names, z.String()[strings.LastIndexByte(z.String(), '/')+1:])
		}
		slices.Sort(names)
		if got := strings.Join(names, " "); got != want || (err == nil) != (want != "") {
			t.Errorf("%s is in %q, %v; want %q", number, got, err, want)
		}
	}
}

// TestOverridesAreZones: a slip in their names would make numbers unknown.
func TestOverridesAreZones(t *testing.T) {
	all := phone.Overridden()
	for prefix, names := range all {
		if len(prefix) > phone.LongestPrefix || prefix[0] == '0' || strings.Trim(prefix, "0123456789") != "" {
			t.Errorf("%q is no prefix", prefix)
		}
		for _, name := range names {
			if _, err := phone.Zone(name); err != nil {
				t.Errorf("%s: %v", prefix, err)
			}
		}
	}
	if len(all) < 45 {
		t.Errorf("there are only %d prefixes", len(all))
	}
}
