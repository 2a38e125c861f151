//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// afternoons are time zones around the world.
var afternoons = []string{
	"Pacific/Honolulu", "America/Anchorage", "America/Los_Angeles", "America/Denver", "America/Chicago", "America/New_York", "America/Halifax",
	"America/Sao_Paulo", "Atlantic/Cape_Verde", "Europe/London", "Europe/Berlin", "Europe/Helsinki", "Asia/Dubai", "Asia/Karachi", "Asia/Dhaka",
	"Asia/Bangkok", "Asia/Singapore", "Asia/Tokyo", "Australia/Brisbane", "Pacific/Noumea", "Pacific/Auckland",
}

// afternoon is a time zone in which it is early in the afternoon: campaigns keep
// the hours of the place where a contact is said to be.
func afternoon(now time.Time) (string, error) {
	for _, name := range afternoons {
		zone, err := time.LoadLocation(name)
		if err != nil {
			return "", err
		}
		if hour := now.In(zone).Hour(); hour == 14 || hour == 15 {
			return name, nil
		}
	}
	return "", errors.New("nowhere is it early in the afternoon")
}

// most is how many contacts a campaign has: of fewer than 50 answers it is not
// judged how many were abandoned. A kill abandons all who talk, so that larger
// campaigns would be paused.
const most = 49

// campaigns orders campaigns with n contacts together, and returns at once.
func (f *feed) campaigns(ctx context.Context, n int) error {
	for ; n > 0; n -= most {
		if err := f.campaign(ctx, min(n, most)); err != nil {
			return err
		}
	}
	return nil
}

// campaign orders a campaign with n contacts, and returns at once.
func (f *feed) campaign(ctx context.Context, n int) error {
	zone, err := afternoon(time.Now())
	if err != nil || n == 0 {
		return err
	}
	first := f.take(n)
	contacts := make([]any, n)
	for i := range contacts {
		contacts[i] = map[string]any{"phone": numberOf(first + i), "timezone": zone}
	}
	f.work.Go(func() {
		if a := f.insist(ctx, f.newCampaign(first, contacts), first); a != nil {
			f.accept(first, n, order{campaign: a.ID, acceptedAt: time.Now(), tries: a.tries})
		}
	})
	return nil
}

// newCampaign asks for a campaign with contacts from the first one on, or without
// any yet.
func (f *feed) newCampaign(first int, contacts []any) request {
	fields := map[string]any{
		"name": fmt.Sprintf("Contacts from %d", first), "agentId": f.agent, "phoneNumberId": f.number,
		"maxConcurrentCalls": 50, "retry": map[string]any{"maxAttempts": 1},
	}
	if len(contacts) > 0 {
		fields["contacts"] = contacts
	}
	return asJSON("/campaigns", fmt.Sprintf("campaign-%d", first), fields)
}
