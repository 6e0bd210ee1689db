package cli

import (
	"fmt"
	"time"

	"github.com/opencapi/capi/internal/destination"
	"github.com/opencapi/capi/internal/id"
)

type destCommand struct {
	List destList `cmd:"" help:"List a workspace's destinations."`
	Test destTest `cmd:"" help:"Write a small file to a destination and delete it."`
}

// destRow is a destination as JSON, without secrets.
type destRow struct {
	ID        id.Destination   `json:"id"`
	Name      string           `json:"name"`
	Type      destination.Kind `json:"type"`
	Place     string           `json:"place"`
	Prefix    string           `json:"prefix"`
	CreatedAt time.Time        `json:"created_at"`
}

type destList struct {
	inWorkspace
	jsonFlag
}

// Run prints the destinations, oldest first.
func (c *destList) Run(s *session) error {
	a, err := s.open()
	if err != nil {
		return err
	}
	defer a.Close()
	all, err := a.Destinations.List(s.ctx, c.Workspace.Workspace)
	if err != nil {
		return err
	}
	items, rows := make([]destRow, len(all)), make([][]string, len(all))
	for i, d := range all {
		items[i] = destRow{d.ID, d.Name, d.Kind, d.Place(), d.Prefix, d.CreatedAt}
		rows[i] = []string{d.ID.String(), string(d.Kind), d.Place(), d.Prefix, timestamp(d.CreatedAt), d.Name}
	}
	if c.JSON {
		return s.printJSON(map[string]any{"items": items})
	}
	if len(rows) == 0 {
		s.printf("No destinations.\n")
		return nil
	}
	s.printTable([]string{"ID", "TYPE", "PLACE", "FOLDER", "CREATED (UTC)", "NAME"}, rows)
	return nil
}

type destTest struct {
	inWorkspace
	DestinationAllow string `name:"destination-allow" env:"CAPI_DESTINATION_ALLOW" placeholder:"ADDRESSES" help:"Addresses or networks that destinations may have although they are private, as for capi serve."`
	ID               destID `arg:"" help:"The destination, from capi destination list."`
	jsonFlag
}

// destTested is the result of a test as JSON.
type destTested struct {
	OK      bool   `json:"ok"`
	Path    string `json:"path"`
	Deleted bool   `json:"deleted"`
	Message string `json:"message"`
	TookMS  int64  `json:"took_ms"`
}

// Run tests the destination. It fails if nothing can be written there.
func (c *destTest) Run(s *session) error {
	s.config.DestinationAllow = c.DestinationAllow
	if err := s.config.ValidateDestinations(); err != nil {
		return err
	}
	a, err := s.open()
	if err != nil {
		return err
	}
	defer a.Close()
	r, err := a.Destinations.Test(s.ctx, c.Workspace.Workspace, c.ID.Destination)
	if err != nil {
		return err
	}
	if c.JSON {
		err = s.printJSON(destTested{r.OK, r.Path, r.Deleted, r.Message, r.Took.Milliseconds()})
	} else {
		s.printf("%s\n", r.Message)
	}
	if err == nil && !r.OK {
		return errFindings
	}
	return err
}

type destID struct{ id.Destination }

// UnmarshalText accepts the canonical text of an id.
func (d *destID) UnmarshalText(p []byte) (err error) {
	if d.Destination, err = id.Parse[id.Destination](string(p)); err != nil {
		return fmt.Errorf("%q is not a destination ID; capi destination list shows the IDs", p)
	}
	return nil
}
