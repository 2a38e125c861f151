package compliance

import "strings"

// Consent is one that the law asks of whom a call sells something to.
type Consent struct {
	Kind   string // a word that must be part of how it was given, in lower case; "" is any
	Source string
}

// Consent returns what consent calls to a country need; nil for none.
func (b *Book) Consent(country string) *Consent {
	if c := b.consents[country]; c != nil {
		return c
	}
	return b.consents["*"]
}

// AsksConsent reports whether calls to some country need one.
func (b *Book) AsksConsent() bool { return len(b.consents) > 0 }

// Given reports whether a consent that was given in a way, such as written, is
// enough.
func (c *Consent) Given(kind string) bool {
	return kind != "" && strings.Contains(strings.ToLower(kind), c.Kind)
}
