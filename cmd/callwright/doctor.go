package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/callwright/callwright/internal/app"
	"github.com/callwright/callwright/internal/config"
	"github.com/callwright/callwright/internal/doctor"
)

type doctorCmd struct {
	JSON bool `name:"json" help:"Print one JSON object, alone on standard output."`
}

// Run looks at everything that calls need. It fails when something is broken.
func (d *doctorCmd) Run(ctx context.Context, c *config.Config) error {
	var findings []doctor.Finding
	broken, err := app.Examine(ctx, c, func(f doctor.Finding) {
		findings = append(findings, f)
		if !d.JSON {
			printFinding(f)
		}
	})
	if err != nil {
		return err
	}
	if d.JSON {
		err := json.NewEncoder(os.Stdout).Encode(struct {
			OK       bool             `json:"ok"`
			Findings []doctor.Finding `json:"findings"`
		}{broken == 0, findings})
		if err != nil {
			return err
		}
	}
	switch broken {
	case 0:
		return nil
	case 1:
		return fmt.Errorf("one thing is broken")
	}
	return fmt.Errorf("%d things are broken", broken)
}

var marks = map[doctor.State]string{doctor.OK: "ok  ", doctor.Warning: "WARN", doctor.Broken: "FAIL"}

func printFinding(f doctor.Finding) {
	fmt.Printf("%s  %-8s  %s\n", marks[f.State], f.Area, f.Text)
	if f.Advice != "" {
		fmt.Printf("%16s→ %s\n", "", f.Advice)
	}
}
