//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/callwright/callwright/bench/rig"
	"github.com/callwright/callwright/internal/failpoint"
)

// migrations has servers die while they make the tables of an empty database, each
// later than the one before, until one is through, and looks whether it can be
// worked with.
func migrations(ctx context.Context, o options, at rig.Place, progress io.Writer) (*verdict, error) {
	began := time.Now()
	v := &verdict{Database: at.Name, Scene: "migrations", Points: map[string]*tally{}}
	t := &tally{}
	v.Points[string(failpoint.DuringMigration)] = t
	random := rand.New(rand.NewPCG(o.seed, 1)) //nolint:gosec // repeatable, keeps no secret
	for t.Died < o.points {
		err := rig.Within(ctx, at.Name, o.database, func(inside rig.Place) error {
			for {
				died, err := migrate(ctx, o, inside, 1+random.IntN(3))
				if err != nil || !died {
					return err
				}
				t.Died++
			}
		})
		if err != nil {
			return v, err
		}
	}
	v.Seconds = time.Since(began).Seconds()
	fmt.Fprintf(progress, "%s: died %d times while the tables were made\n", at.Name, t.Died)
	return v, nil
}

// migrate starts a command that needs the tables, and has it die when it has made
// so many versions of them. It reports whether it died; one that lives must have
// made a key.
func migrate(ctx context.Context, o options, at rig.Place, hit int) (died bool, err error) {
	args := []string{"migrate", "--data", at.Dir}
	if at.DSN != "" {
		args = append(args, "--database", at.DSN)
	}
	cmd := exec.CommandContext(ctx, o.binary, args...)
	cmd.Dir = filepath.Dir(at.Dir)
	cmd.Env = append(os.Environ(), "CALLWRIGHT_SECRET_KEY="+sealingKey, fmt.Sprintf("%s=%s:%d", failpoint.Variable, failpoint.DuringMigration, hit))
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == -1 { // by a signal
		return true, ctx.Err()
	}
	if err != nil {
		return false, fmt.Errorf("after a death during the migration: %w\n%s", err, out)
	}
	o.at, o.kills, o.points, o.contacts, o.short = nil, 1, 0, 8, true
	v, err := crashes(ctx, o, at, io.Discard)
	if err == nil && !v.sound() {
		err = fmt.Errorf("calls on tables that were made in several lives: %v", v.Faults)
	}
	return false, err
}
