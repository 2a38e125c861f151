//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"mime/multipart"
	"net/http"
	"time"
)

// sheetRows is how many rows a file of contacts has: five parts that are stored
// one after the other, and a rest.
const sheetRows = 2_600

// sheetPatience is how long a client waits for the answer to a file.
const sheetPatience = 30 * time.Second

// sheetOf is a file with n contacts. Each has many rows, one after the other: every
// part of the file brings numbers of its own, and the last one of the part before.
func sheetOf(first, n int, zone string) []byte {
	var file bytes.Buffer
	file.WriteString("phone_number,timezone\n")
	for row := range sheetRows {
		fmt.Fprintf(&file, "%s,%s\n", numberOf(first+row*n/sheetRows), zone)
	}
	return file.Bytes()
}

// sheet has n contacts called that are in a file, as a batch or by a campaign that
// is there before, and returns at once. Whoever gets no answer sends the file
// again, from its beginning.
func (f *feed) sheet(ctx context.Context, n int, batch bool) error {
	zone, err := afternoon(time.Now())
	if err != nil || n == 0 {
		return err
	}
	first := f.take(n)
	file := sheetOf(first, n, zone)
	send := f.feedCampaign
	if batch {
		send = f.startBatch
	}
	f.work.Go(func() {
		id, a := send(ctx, first, file)
		if a == nil {
			return
		}
		if total := max(a.Total, a.CallsTotal); total != n || a.Sheet.Rows != sheetRows || a.Sheet.Invalid != 0 {
			f.oddly("a file of %d contacts in %d rows became %d in %d, and %d bad ones", n, sheetRows, total, a.Sheet.Rows, a.Sheet.Invalid)
		}
		f.accept(first, n, order{campaign: id, sheet: true, acceptedAt: time.Now(), tries: a.tries})
	})
	return nil
}

// feedCampaign makes a campaign, which calls at once, and has it take a file.
func (f *feed) feedCampaign(ctx context.Context, first int, file []byte) (id string, a *answer) {
	made := f.insist(ctx, f.newCampaign(first, nil), first)
	if made == nil {
		return "", nil
	}
	return made.ID, f.insist(ctx, request{
		path: "/campaigns/" + made.ID + "/contacts", key: fmt.Sprintf("file-%d", first), body: file, kind: "text/csv",
		success: http.StatusOK, patience: sheetPatience,
	}, first)
}

// startBatch makes a batch of a file.
func (f *feed) startBatch(ctx context.Context, first int, file []byte) (id string, a *answer) {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for _, field := range [][2]string{{"agentId", f.agent}, {"phoneNumberId", f.number}, {"name", fmt.Sprintf("Batch from %d", first)}} {
		_ = form.WriteField(field[0], field[1]) // into memory
	}
	part, _ := form.CreateFormFile("file", "contacts.csv")
	_, _ = part.Write(file)
	_ = form.Close()
	a = f.insist(ctx, request{
		path: "/batches", key: fmt.Sprintf("batch-%d", first), body: body.Bytes(), kind: form.FormDataContentType(),
		success: http.StatusCreated, patience: sheetPatience,
	}, first)
	if a == nil {
		return "", nil
	}
	return a.ID, a
}
