package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/callwright/callwright/client"
	"github.com/callwright/callwright/internal/config"
)

type campaignCmd struct {
	List   campaignList   `cmd:"" help:"List campaigns, newest first."`
	Watch  campaignWatch  `cmd:"" help:"Show how far a campaign is, until it and its last call are over."`
	Pause  campaignPause  `cmd:"" help:"Dial nobody any more; calls that are under way go on."`
	Resume campaignResume `cmd:"" help:"Go on with a campaign that is paused."`
	Cancel campaignCancel `cmd:"" help:"End a campaign; calls that are under way go on."`
	Export campaignExport `cmd:"" help:"Print its contacts with their results as CSV."`
}

type campaignList struct {
	remote
	Status string `help:"active, paused, completed or cancelled; the default is all." placeholder:"STATUS"`
	JSON   bool   `name:"json" help:"Print one JSON object a campaign."`
}

// Run prints the campaigns.
func (k *campaignList) Run(ctx context.Context, c *config.Config) error {
	api, err := k.client(c)
	if err != nil {
		return err
	}
	row := func(c client.Campaign) []any {
		return []any{c.ID, c.Status, fmt.Sprintf("%d/%d", c.CallsCompleted, c.CallsTotal), c.CreatedAt.Local().Format(time.DateTime), c.Name}
	}
	return k.explained(table(api.AllCampaigns(ctx, client.ListCampaignsQuery{Status: k.Status}), k.JSON, "ID\tSTATUS\tDONE\tCREATED\tNAME", row))
}

// oneCampaign is the campaign that a command is about.
type oneCampaign struct {
	remote
	ID   string `arg:"" help:"Id of the campaign." placeholder:"ID"`
	JSON bool   `name:"json" help:"Print the campaign as one JSON object a line."`
}

type (
	campaignWatch  struct{ oneCampaign }
	campaignPause  struct{ oneCampaign }
	campaignResume struct{ oneCampaign }
	campaignCancel struct{ oneCampaign }
	campaignExport struct {
		remote
		ID string `arg:"" help:"Id of the campaign." placeholder:"ID"`
	}
)

// Run shows the campaign until it is over.
func (k *campaignWatch) Run(ctx context.Context, c *config.Config) error {
	api, err := k.client(c)
	if err != nil {
		return err
	}
	for campaign, err := range api.WatchCampaign(ctx, k.ID) {
		switch {
		case ctx.Err() != nil:
			fmt.Fprintf(os.Stderr, "callwright: no longer watching; campaign %s goes on\n", k.ID)
			return ctx.Err()
		case err != nil:
			return k.explained(err)
		}
		if err := k.show(campaign); err != nil {
			return err
		}
	}
	return nil
}

// show prints how far a campaign is.
func (k *oneCampaign) show(c *client.Campaign) error {
	if k.JSON {
		return json.NewEncoder(os.Stdout).Encode(c)
	}
	line := fmt.Sprintf("%s  %-9s  %d/%d%s", time.Now().Format(time.TimeOnly), c.Status, c.CallsCompleted, c.CallsTotal, standing(c.Counts))
	if c.PauseReason != "" {
		line += "  (" + c.PauseReason + ")"
	}
	if !c.ExpectedEndAt.IsZero() {
		line += "  until " + c.ExpectedEndAt.Local().Format("Mon 15:04")
	}
	fmt.Println(line)
	return nil
}

// standing are the counts of a campaign or batch.
func standing(n *client.CampaignCounts) string {
	if n == nil {
		return ""
	}
	return fmt.Sprintf("  waiting %d, active %d, completed %d, failed %d, answered %d", n.Waiting, n.Active, n.Completed, n.Failed, n.Answered)
}

// become changes the campaign's status.
func (k *oneCampaign) become(ctx context.Context, c *config.Config, status string) error {
	api, err := k.client(c)
	if err != nil {
		return err
	}
	campaign, err := api.UpdateCampaign(ctx, k.ID, client.CampaignFields{Status: client.Set(status)})
	if err != nil {
		return k.explained(err)
	}
	return k.show(campaign)
}

// Run pauses the campaign.
func (k *campaignPause) Run(ctx context.Context, c *config.Config) error {
	return k.become(ctx, c, "paused")
}

// Run has the campaign go on.
func (k *campaignResume) Run(ctx context.Context, c *config.Config) error {
	return k.become(ctx, c, "active")
}

// Run ends the campaign.
func (k *campaignCancel) Run(ctx context.Context, c *config.Config) error {
	return k.become(ctx, c, "cancelled")
}

// Run prints the contacts.
func (k *campaignExport) Run(ctx context.Context, c *config.Config) error {
	api, err := k.client(c)
	if err != nil {
		return err
	}
	res, err := api.ExportCampaign(ctx, k.ID)
	if err != nil {
		return k.explained(err)
	}
	defer func() { _ = res.Body.Close() }() // it was only read
	if _, err := io.Copy(os.Stdout, res.Body); err != nil {
		return fmt.Errorf("the export broke off, what was printed is only a part: %w", err)
	}
	return nil
}
