package client

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// Preset is a choice of columns under a name, for PresetID of exports and orders.
type Preset struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Columns   []string  `json:"columns"`    // in the order of the file
	HeaderRow string    `json:"header_row"` // of csv and xlsx: name or label
	CreatedAt time.Time `json:"created_at"`
}

// PresetRequest describes a preset to create.
type PresetRequest struct {
	Name      string   `json:"name"`
	Columns   []string `json:"columns"`
	HeaderRow string   `json:"header_row,omitempty"` // name, the default, or label
}

// PresetChange says what to change of a preset; empty for what stays.
type PresetChange struct {
	Name      string   `json:"name,omitempty"`
	Columns   []string `json:"columns,omitempty"`
	HeaderRow string   `json:"header_row,omitempty"`
}

func presetPath(id string) string { return "/presets/" + url.PathEscape(id) }

// CreatePreset creates a column preset.
func (c *Client) CreatePreset(ctx context.Context, r PresetRequest) (*Preset, error) {
	return answer[Preset](ctx, c, http.MethodPost, "/presets", r)
}

// Presets returns all column presets of the workspace, by name.
func (c *Client) Presets(ctx context.Context) ([]Preset, error) {
	page, err := answer[Page[Preset]](ctx, c, http.MethodGet, "/presets", nil)
	if err != nil {
		return nil, err
	}
	return page.Items, nil
}

// Preset returns a column preset.
func (c *Client) Preset(ctx context.Context, id string) (*Preset, error) {
	return answer[Preset](ctx, c, http.MethodGet, presetPath(id), nil)
}

// UpdatePreset changes a column preset. What was made with it stays as it is.
func (c *Client) UpdatePreset(ctx context.Context, id string, change PresetChange) (*Preset, error) {
	return answer[Preset](ctx, c, http.MethodPatch, presetPath(id), change)
}

// DeletePreset deletes a column preset. What was made with it keeps its columns.
func (c *Client) DeletePreset(ctx context.Context, id string) error {
	return c.call(ctx, http.MethodDelete, presetPath(id), nil, nil)
}
