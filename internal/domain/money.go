package domain

// Money is an amount in millionths of the unit that a workspace counts its
// credits in. Which unit that is (a currency, or points) is up to the operator.
type Money int64

// Unit is one whole unit.
const Unit Money = 1_000_000

// The bounds of what may be set, so that sums stay exact, also as the numbers of
// JSON (2^53), and never run over.
const (
	MaxMoney = 1_000_000_000 * Unit
	MaxPrice = 10_000 * Unit // of a minute
)

// Units is the amount as a number of units, exact to the last millionth for
// amounts up to MaxMoney.
func (m Money) Units() float64 { return float64(m) / float64(Unit) }
