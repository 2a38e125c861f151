package app

import "github.com/callwright/callwright/internal/flow"

// checkFlow reads a flow strictly and returns its canonical form.
func checkFlow(raw []byte) ([]byte, error) {
	g, err := flow.Parse(raw)
	if err != nil {
		return nil, err
	}
	return g.Canonical(), nil
}
