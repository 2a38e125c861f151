package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/callwright/callwright/internal/app"
	"github.com/callwright/callwright/internal/config"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service"
	"github.com/callwright/callwright/internal/service/access"
)

type keyCmd struct {
	Create keyCreate `cmd:"" help:"Create a key and print it; it is shown this once."`
	List   keyList   `cmd:"" help:"List the keys."`
	Rotate keyRotate `cmd:"" help:"Replace a key; the old one works on for a while."`
	Revoke keyRevoke `cmd:"" help:"Make a key stop working at once."`
}

type keyCreate struct {
	Name      string   `required:"" help:"What the key is for."`
	Mode      string   `enum:"live,test" default:"live" help:"live reaches real phones, test the simulated ones."`
	Scopes    []string `help:"What the key may do, such as calls:write; the default is everything." placeholder:"SCOPE"`
	Allow     []string `help:"Networks that may use the key; the default is all." placeholder:"CIDR"`
	RateLimit int      `name:"rate-limit" help:"Requests a minute, when lower than the plan's." placeholder:"N"`
	JSON      bool     `name:"json" help:"Print one JSON object."`
}

// Run makes the key.
func (k *keyCreate) Run(ctx context.Context, c *config.Config, log *slog.Logger) error {
	return withRules(ctx, c, log, func(s *service.Service, w *domain.Workspace) error {
		key, secret, err := s.CreateKey(ctx, access.NewKey{
			Workspace: w.ID, Name: k.Name, Mode: domain.Mode(k.Mode), Scopes: k.Scopes, Allow: k.Allow, RateLimit: k.RateLimit,
		})
		if err != nil {
			return err
		}
		return printKey(key, secret, k.JSON)
	})
}

// printKey prints a key that was just made, its secret included.
func printKey(key *domain.Key, secret string, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(os.Stdout).Encode(struct {
			ID          domain.ID   `json:"id"`
			Key         string      `json:"key"`
			Name        string      `json:"name"`
			Mode        domain.Mode `json:"mode"`
			Scopes      []string    `json:"scopes"`
			WorkspaceID domain.ID   `json:"workspaceId"`
		}{key.ID, secret, key.Name, key.Mode, key.Scopes, key.WorkspaceID})
	}
	fmt.Printf("%s\n\nKeep it safe: it is shown this once. id %s, mode %s, scopes %s\n",
		secret, key.ID, key.Mode, strings.Join(key.Scopes, ","))
	return nil
}

type keyList struct {
	JSON bool `name:"json" help:"Print one JSON array."`
}

// listedKey is a key in "key list --json"; what never was is null.
type listedKey struct {
	ID          domain.ID   `json:"id"`
	Prefix      string      `json:"prefix"`
	Name        string      `json:"name"`
	Mode        domain.Mode `json:"mode"`
	Scopes      []string    `json:"scopes"`
	Allow       []string    `json:"allow"`
	RateLimit   *int        `json:"rateLimit"`
	WorkspaceID domain.ID   `json:"workspaceId"`
	Active      bool        `json:"active"`
	CreatedAt   *time.Time  `json:"createdAt"`
	LastUsedAt  *time.Time  `json:"lastUsedAt"`
	ExpiresAt   *time.Time  `json:"expiresAt"`
	RevokedAt   *time.Time  `json:"revokedAt"`
}

func listed(k *domain.Key) listedKey {
	when := func(t time.Time) *time.Time {
		if t.IsZero() {
			return nil
		}
		t = t.UTC().Truncate(time.Second)
		return &t
	}
	out := listedKey{
		ID: k.ID, Prefix: k.Prefix, Name: k.Name, Mode: k.Mode, Scopes: k.Scopes, Allow: slices.Concat([]string{}, k.Allow),
		WorkspaceID: k.WorkspaceID, Active: k.Usable(time.Now()), CreatedAt: when(k.CreatedAt),
		LastUsedAt: when(k.LastUsedAt), ExpiresAt: when(k.ExpiresAt), RevokedAt: when(k.RevokedAt),
	}
	if k.RateLimit != 0 {
		out.RateLimit = &k.RateLimit
	}
	return out
}

// Run lists the keys.
func (k keyList) Run(ctx context.Context, c *config.Config, log *slog.Logger) error {
	return withRules(ctx, c, log, func(s *service.Service, w *domain.Workspace) error {
		keys, _, err := s.Keys(ctx, domain.Scope{Workspace: w.ID}, domain.Page{})
		if err != nil {
			return err
		}
		if k.JSON {
			list := make([]listedKey, len(keys))
			for i := range keys {
				list[i] = listed(&keys[i])
			}
			return json.NewEncoder(os.Stdout).Encode(list)
		}
		out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
		fmt.Fprintln(out, "ID\tNAME\tKEY\tMODE\tSCOPES\tCREATED\tLAST USED\tSTATE")
		for _, k := range keys {
			state, used := "active", "never"
			if !k.Usable(time.Now()) {
				state = "ended"
			}
			if !k.LastUsedAt.IsZero() {
				used = k.LastUsedAt.Format(time.DateTime)
			}
			fmt.Fprintf(out, "%s\t%s\t%s…\t%s\t%s\t%s\t%s\t%s\n", k.ID, k.Name, k.Prefix, k.Mode,
				strings.Join(k.Scopes, ","), k.CreatedAt.Format(time.DateTime), used, state)
		}
		return out.Flush()
	})
}

type keyRotate struct {
	ID      string        `arg:"" help:"The key's id."`
	Overlap time.Duration `default:"24h" help:"How long the old key works on."`
	JSON    bool          `name:"json" help:"Print one JSON object."`
}

// Run replaces the key.
func (k *keyRotate) Run(ctx context.Context, c *config.Config, log *slog.Logger) error {
	return withRules(ctx, c, log, func(s *service.Service, w *domain.Workspace) error {
		key, secret, err := s.RotateKey(ctx, w.ID, domain.ID(k.ID), k.Overlap)
		if err != nil {
			return err
		}
		return printKey(key, secret, k.JSON)
	})
}

type keyRevoke struct {
	ID string `arg:"" help:"The key's id."`
}

// Run ends the key.
func (k *keyRevoke) Run(ctx context.Context, c *config.Config, log *slog.Logger) error {
	return withRules(ctx, c, log, func(s *service.Service, w *domain.Workspace) error {
		key, err := s.RevokeKey(ctx, w.ID, domain.ID(k.ID))
		if err == nil {
			fmt.Printf("key %s (%s) is revoked\n", key.ID, key.Name)
		}
		return err
	})
}

// withRules opens the data beside a server that may be running.
func withRules(ctx context.Context, c *config.Config, log *slog.Logger, do func(*service.Service, *domain.Workspace) error) error {
	rules, err := app.OpenRules(ctx, c, log)
	if err != nil {
		return err
	}
	defer rules.Close()
	return do(rules.Service, rules.Workspace)
}

type migrateCmd struct{}

// Run opens the database, which brings its schema up to date.
func (migrateCmd) Run(ctx context.Context, c *config.Config, log *slog.Logger) error {
	return withRules(ctx, c, log, func(*service.Service, *domain.Workspace) error {
		fmt.Println("the database is at this version's schema")
		return nil
	})
}
