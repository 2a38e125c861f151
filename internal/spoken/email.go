package spoken

import (
	"regexp"
	"strconv"
	"strings"
)

var (
	writtenEmail = regexp.MustCompile(`[a-z0-9][a-z0-9._%+-]*@[a-z0-9][a-z0-9-]*(\.[a-z0-9-]+)*\.[a-z]{2,}`)
	wholeEmail   = regexp.MustCompile(`^[a-z0-9]([a-z0-9._%+-]*[a-z0-9_%+-])?@[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*\.[a-z]{2,}$`)

	emailSigns = map[string]string{
		"dot": ".", "period": ".", "point": ".", "underscore": "_", "dash": "-", "hyphen": "-", "minus": "-", "plus": "+", "at": "@",
	}
	// emailLeads are words that stand before an address and do not belong to it.
	emailLeads = wordSet("is its it my email mail address me reach yes yeah sure um uh ok okay well use would be to thats that the so and")
)

// Email reads an e-mail address as it is written, or as it is spoken: "john
// dot doe at example dot com". It is returned in lower case.
func Email(text string) (string, bool) {
	lower := strings.ToLower(text)
	if found := writtenEmail.FindString(lower); found != "" {
		return found, wholeEmail.MatchString(found) && !strings.Contains(found, "..")
	}
	said := emailWords(lower)
	at := -1
	for i := len(said) - 1; i > 0; i-- {
		if said[i] == "@" {
			at = i
			break
		}
	}
	if at < 0 {
		return "", false
	}
	address := emailLocal(said[:at]) + "@" + emailDomain(said[at+1:])
	if len(address) > 254 || !wholeEmail.MatchString(address) || strings.Contains(address, "..") {
		return "", false
	}
	return address, true
}

// emailWords turns spoken signs and numerals into what they stand for.
func emailWords(text string) []string {
	said := strings.FieldsFunc(strings.NewReplacer("'", "", "’", "").Replace(text), func(r rune) bool { return strings.ContainsRune(" \t\n,;:!?\"()", r) })
	list := make([]string, 0, len(said))
	for i := 0; i < len(said); i++ {
		word := strings.TrimSuffix(said[i], ".")
		if sign, ok := emailSigns[word]; ok {
			list = append(list, sign)
			if word == "at" && i+1 < len(said) && said[i+1] == "sign" {
				i++
			}
			continue
		}
		if n, took := small(said[i:]); took > 0 {
			list = append(list, strconv.Itoa(n))
			i += took - 1
			continue
		}
		if word != "" {
			list = append(list, word)
		}
	}
	return list
}

// emailLocal joins what stands before the @, from after the last word that leads
// to it.
func emailLocal(said []string) string {
	from := 0
	for i, word := range said {
		followed := i+1 < len(said) && len(said[i+1]) == 1 && strings.Contains("._-+", said[i+1])
		if word == "@" || emailLeads[word] && i+1 < len(said) && !followed {
			from = i + 1
		}
	}
	return strings.Join(said[from:], "")
}

// emailDomain joins what stands after the @, up to the end of the word after the
// last dot. Letters that are spelled count as one word.
func emailDomain(said []string) string {
	lastDot := -1
	for i, word := range said {
		if strings.Contains(word, ".") {
			lastDot = i
		}
	}
	if lastDot < 0 {
		return strings.Join(said, "")
	}
	end := lastDot + 1
	if said[lastDot] == "." && end < len(said) {
		end++
		for len(said[end-1]) == 1 && end < len(said) && len(said[end]) == 1 {
			end++
		}
	}
	return strings.Join(said[:end], "")
}
