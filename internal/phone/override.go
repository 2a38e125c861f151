package phone

import "strings"

// overrides correct the zones of the numbering plans' data, which is by exchange,
// has one zone where there are several, or one of another country that keeps
// other summers. A number may be anywhere in what its prefix is for: numbers move.
// Each line has prefixes, a colon, and the zones; none means that they cannot be
// told. Prefixes are as in E.164, without the plus sign.
const overrides = `
# Australia: Queensland keeps no summer time; mobile numbers are of no state.
617: Australia/Brisbane
618: Australia/Adelaide Australia/Darwin Australia/Perth
614: Australia/Sydney Australia/Melbourne Australia/Brisbane Australia/Adelaide Australia/Darwin Australia/Perth

# Russia: mobile numbers are of eleven zones; Kaliningrad keeps no summer time.
79:
7401: Europe/Kaliningrad

# Morocco, Palestine.
212: Africa/Casablanca
970: Asia/Gaza Asia/Hebron

# Indonesia's mobile numbers.
628: Asia/Jakarta Asia/Makassar Asia/Jayapura

# Brazil: Recife shares its code with an island, the west of Amazonas is an hour behind Manaus.
5581: America/Recife America/Noronha
5597: America/Manaus America/Eirunepe

# Chile: Valparaiso shares its code with Easter Island; the south keeps its summer time.
5632: America/Santiago Pacific/Easter
5661: America/Punta_Arenas
5667: America/Coyhaique
569: America/Santiago America/Punta_Arenas Pacific/Easter

# Spain's mobile numbers.
346 347: Europe/Madrid Atlantic/Canary

# Area codes of the North American plan through which the border of two zones goes.
1208 1986: America/Boise America/Los_Angeles
1219 1574 1812 1930: America/Chicago America/New_York
1270 1364 1606: America/Chicago America/New_York
1308 1605 1620 1701 1785: America/Chicago America/Denver
1423 1906 1850 1448: America/Chicago America/New_York
1458 1541: America/Los_Angeles America/Boise
1775: America/Los_Angeles America/Denver
1907: America/Anchorage America/Adak
1928: America/Phoenix America/Denver
1236 1250 1672 1778: America/Vancouver America/Edmonton America/Fort_Nelson
1306 1474 1639: America/Regina America/Edmonton
1367 1418 1581: America/Toronto America/Halifax
1709 1879: America/St_Johns America/Goose_Bay
1807: America/Toronto America/Atikokan America/Winnipeg
1867: America/Whitehorse America/Yellowknife America/Rankin_Inlet America/Iqaluit
`

// overridden has the zones of each prefix of the overrides.
var overridden = func() map[string][]string {
	byPrefix := make(map[string][]string)
	for line := range strings.Lines(overrides) {
		prefixes, zones, found := strings.Cut(line, ":")
		if !found || strings.HasPrefix(line, "#") {
			continue
		}
		for prefix := range strings.FieldsSeq(prefixes) {
			byPrefix[prefix] = strings.Fields(zones)
		}
	}
	return byPrefix
}()

// longestPrefix is the number of digits of the longest prefix in the overrides.
const longestPrefix = 4

// override returns the zones of the overrides for an E.164 number, and whether
// there are any: those of its longest prefix.
func override(e164 string) ([]string, bool) {
	digits := strings.TrimPrefix(e164, "+")
	for n := min(longestPrefix, len(digits)); n > 0; n-- {
		if zones, found := overridden[digits[:n]]; found {
			return zones, true
		}
	}
	return nil, false
}
