package wire

import (
	"math"

	"github.com/callwright/callwright/internal/domain"
)

// Amount reads a number of units of account, which may have six decimals. One
// that is too great stays so. More decimals are CodeInvalid of the field.
func Amount(field string, units float64) (domain.Money, error) {
	exact := units * float64(domain.Unit)
	whole := math.Round(exact)
	switch {
	case math.Abs(units) > 2*domain.MaxMoney.Units(): // which also keeps the conversion within bounds
		whole = math.Copysign(float64(2*domain.MaxMoney), units)
	case math.Abs(exact-whole) > 1e-6+math.Abs(exact)*1e-15:
		return 0, domain.Invalid(field, "%s may have at most six decimals", field)
	}
	return domain.Money(whole), nil
}

// Limit reads an amount that null takes away: nil when the field was not sent,
// and a nil amount for null.
func Limit(field string, o Opt[float64]) (**domain.Money, error) {
	var limit *domain.Money
	switch {
	case !o.Sent:
		return nil, nil
	case !o.Null:
		amount, err := Amount(field, o.Value)
		if err != nil {
			return nil, err
		}
		limit = &amount
	}
	return &limit, nil
}

// Units is an amount as it is shown, nil for none.
func Units(m *domain.Money) *float64 {
	if m == nil {
		return nil
	}
	return new(m.Units())
}
