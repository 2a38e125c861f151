package people

import (
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service/rule"
)

// CheckConsent says what is wrong with a consent, which is the field; nil is
// none.
func CheckConsent(field string, c *domain.Consent) error {
	if c == nil {
		return nil
	}
	if c.Kind == "" {
		return domain.Invalid(field+".kind", "%s.kind is required: express, written or another word for how it was given", field).
			For(domain.ReasonMissing, "")
	}
	return rule.First(rule.Text(field+".kind", c.Kind, rule.MaxName), rule.Text(field+".source", c.Source, rule.MaxText),
		rule.Text(field+".text", c.Text, rule.MaxText))
}
