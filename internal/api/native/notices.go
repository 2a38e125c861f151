package native

import (
	"context"
	"net/http"

	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
)

// Notice is something that the system did on its own.
type Notice struct {
	ID        domain.ID    `json:"id"`
	Type      string       `json:"type" enum:"webhook.disabled,trunk.failing,campaign.abandoned"`
	SubjectID domain.ID    `json:"subjectId" doc:"What it is about: of webhook.disabled, the endpoint; of trunk.failing, the trunk; of campaign.abandoned, the campaign."`
	Message   string       `json:"message"`
	CreatedAt wire.Instant `json:"createdAt"`
}

func (f *face) noticeRoutes(rt *wire.Router) {
	const path, one = Root + "/notices", Root + "/notices/{id}"
	wire.Handle(rt, wire.Route{Method: http.MethodGet, Path: path, ID: "list-notices", Scope: "notices:read", Summary: "List what the system did on its own"}, f.listNotices)
	wire.Handle(rt, wire.Route{Method: http.MethodDelete, Path: one, ID: "delete-notice", Scope: "notices:write", Summary: "Delete a notice"}, f.deleteNotice)
}

func (f *face) listNotices(ctx context.Context, in *wire.Paging) (*list[Notice], error) {
	page := in.Page()
	rows, total, err := f.rules.Notices(ctx, wire.ScopeOf(ctx), page)
	if err != nil {
		return nil, err
	}
	return listOf(ctx, page, total, rows, notice), nil
}

func (f *face) deleteNotice(ctx context.Context, in *Removal) (*object[Deleted], error) {
	return remove(ctx, in, f.rules.DeleteNotice)
}

func notice(n *domain.Notice) Notice {
	return Notice{ID: n.ID, Type: string(n.Kind), SubjectID: n.SubjectID, Message: n.Text, CreatedAt: wire.Instant(n.CreatedAt)}
}
