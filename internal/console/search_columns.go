package console

import (
	"net/http"
	"time"

	"github.com/opencapi/capi/internal/console/view"
	"github.com/opencapi/capi/internal/id"
)

// columnsCookie has the columns of the result table that a person chose in this browser.
func columnsCookie(p id.Person) string { return "capi_columns_" + p.String() }

// columnsKept is how long the choice lasts after it was made.
const columnsKept = 365 * 24 * time.Hour

// chooseColumns keeps the columns of the form, or forgets them.
func (s *server) chooseColumns(w http.ResponseWriter, r *http.Request) error {
	v := view.ViewerOf(r.Context())
	if err := r.ParseForm(); err != nil {
		return err
	}
	chosen := &http.Cookie{
		Name: columnsCookie(v.Person.ID), Value: view.ColumnNames(r.PostForm["column"]), Path: basePath, HttpOnly: true,
		Secure: s.sessions.Cookie.Secure, SameSite: http.SameSiteLaxMode, MaxAge: int(columnsKept.Seconds()),
	}
	if r.PostForm.Has("reset") || chosen.Value == "" {
		chosen.MaxAge = -1
	}
	http.SetCookie(w, chosen)
	params, err := paramsOf(r)
	if err != nil {
		return err
	}
	asked := view.ReadSearchForm(params, "cursor")
	return redirect(w, r, asked.At(v.Path("/search"), "cursor", params.Get("cursor")))
}

// chosenColumns returns the columns of the result table.
func chosenColumns(r *http.Request) []view.Column {
	names := ""
	if c, err := r.Cookie(columnsCookie(view.ViewerOf(r.Context()).Person.ID)); err == nil {
		names = c.Value
	}
	return view.ColumnsOf(names)
}
