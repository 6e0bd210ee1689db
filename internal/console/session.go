package console

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/opencapi/capi/internal/account"
	"github.com/opencapi/capi/internal/console/view"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
)

// Keys of the values in a session.
const (
	personKey = "person" // the id of the person who is signed in
	homeKey   = "home"   // the id of the workspace that was opened last
	noticeKey = "notice" // a view.Notice as JSON, for the top of the next page
	secretKey = "secret" // an encrypted secret that the next page shows once

	challengeKey = "challenge" // the secret of the challenge that a passkey is to answer

	awaitingKey      = "awaiting"       // the id of the person who has given their password and must still enter a code
	awaitingSinceKey = "awaiting_since" // when they did, in Unix seconds
)

// sessionManager builds the manager field by field: scs.New would start a goroutine for a store that is not used here, and
// never end it.
func (s *server) sessionManager() *scs.SessionManager {
	m := &scs.SessionManager{
		Store: &store{s.Sessions}, Codec: scs.GobCodec{}, Lifetime: s.SessionMax, ErrorFunc: s.fail,
		Cookie: scs.SessionCookie{
			Name: "capi_session", Path: "/", HttpOnly: true, Persist: true, SameSite: http.SameSiteLaxMode,
		},
	}
	if strings.HasPrefix(s.PublicURL, "https://") {
		m.Cookie.Name, m.Cookie.Secure = "__Host-capi_session", true
	}
	return m
}

// requestInfo is what the session store needs to know about the request.
type requestInfo struct {
	address, agent string
	session        account.Session // as it was found; zero if the request has no session
	secret         string          // the secret of session
	means          account.Means   // how the person signs in with this request
}

type requestInfoKey struct{}

func requestInfoOf(ctx context.Context) *requestInfo {
	v, ok := ctx.Value(requestInfoKey{}).(*requestInfo)
	if !ok {
		return &requestInfo{}
	}
	return v
}

// loadSession loads the session of the request, and saves it with the answer if it changed.
func (s *server) loadSession(next http.Handler) http.Handler {
	loaded := s.sessions.LoadAndSave(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := &requestInfo{address: s.clientAddress(r), agent: r.UserAgent()}
		loaded.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), requestInfoKey{}, v)))
	})
}

// loadViewer loads the person of the session and their memberships.
func (s *server) loadViewer(next http.Handler) http.Handler {
	return s.handle(func(_ *server, w http.ResponseWriter, r *http.Request) error {
		v, err := s.viewer(r.Context())
		if err != nil {
			return err
		}
		ctx := view.WithViewer(r.Context(), v)
		if r.Method == http.MethodGet && !isFragment(r) && s.sessions.Exists(ctx, noticeKey) {
			ctx = view.WithNotice(ctx, func() (n view.Notice) {
				if err := json.Unmarshal([]byte(s.sessions.PopString(ctx, noticeKey)), &n); err != nil {
					return view.Notice{}
				}
				return n
			})
		}
		next.ServeHTTP(w, r.WithContext(ctx))
		return nil
	})
}

func (s *server) viewer(ctx context.Context) (view.Viewer, error) {
	known, err := id.Parse[id.Person](s.sessions.GetString(ctx, personKey))
	if err != nil {
		return view.Viewer{}, nil //nolint:nilerr // nobody is signed in
	}
	p, err := s.People.Get(ctx, known)
	if fault.CodeOf(err) == fault.NotFound {
		return view.Viewer{}, s.sessions.Destroy(ctx)
	}
	if err != nil {
		return view.Viewer{}, err
	}
	memberships, err := s.Workspaces.Of(ctx, p.ID)
	return view.Viewer{Person: p, Memberships: memberships, Session: requestInfoOf(ctx).session.ID}, err
}

// enter signs in the person who has given the right password, and redirects to next; by way of a page that asks for a code if they
// use two-factor sign-in.
func (s *server) enter(w http.ResponseWriter, r *http.Request, p account.Person, means account.Means, next string) error {
	ctx := r.Context()
	if !p.TwoFactor {
		if err := s.startSession(ctx, p.ID, means); err != nil {
			return err
		}
		return redirect(w, r, next)
	}
	if err := s.sessions.RenewToken(ctx); err != nil {
		return err
	}
	s.sessions.Remove(ctx, personKey) // of someone else who was signed in here
	s.sessions.Put(ctx, awaitingKey, p.ID.String())
	s.sessions.Put(ctx, awaitingSinceKey, time.Now().Unix())
	return redirect(w, r, view.CodePath(next))
}

// startSession signs the person in. The session gets a new secret, so that a cookie that someone else planted in the browser
// is worthless.
func (s *server) startSession(ctx context.Context, p id.Person, means account.Means) error {
	if err := s.sessions.RenewToken(ctx); err != nil {
		return err
	}
	s.sessions.Remove(ctx, awaitingKey)
	s.sessions.Remove(ctx, awaitingSinceKey)
	s.sessions.Put(ctx, personKey, p.String())
	requestInfoOf(ctx).means = means
	return nil
}

// notice shows the text once, at the top of the next page.
func (s *server) notice(ctx context.Context, text string) { s.putNotice(ctx, view.Notice{Text: text}) }

// undoable shows the text as notice does, with a button that sends the form.
func (s *server) undoable(ctx context.Context, text string, undo view.Undo) {
	s.putNotice(ctx, view.Notice{Text: text, Undo: undo})
}

// warn shows the text as notice does, as a warning that something was not done.
func (s *server) warn(ctx context.Context, text string) {
	s.putNotice(ctx, view.Notice{Text: text, Warn: true})
}

func (s *server) putNotice(ctx context.Context, n view.Notice) {
	b, err := json.Marshal(n)
	if err != nil {
		panic(err) // cannot happen: a Notice is plain data
	}
	s.sessions.Put(ctx, noticeKey, string(b))
}

// clientAddress returns the IP address of the client. Only a trusted proxy is believed when it names another address in
// X-Forwarded-For, because anyone can send that header.
func (s *server) clientAddress(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	client, err := netip.ParseAddr(host)
	if err != nil {
		return host
	}
	// Each proxy adds the address of its own peer at the end.
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && s.trusts(client); i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		client = hop
	}
	return client.Unmap().String()
}

func (s *server) trusts(a netip.Addr) bool {
	return slices.ContainsFunc(s.TrustedProxies, func(p netip.Prefix) bool { return p.Contains(a.Unmap()) })
}

// clientNetwork returns the address that limits count: an IPv6 client has a whole /64 network of addresses to choose from.
func (s *server) clientNetwork(r *http.Request) string {
	address := s.clientAddress(r)
	a, err := netip.ParseAddr(address)
	if err != nil || a.Is4() {
		return address
	}
	network, err := a.WithZone("").Prefix(64)
	if err != nil {
		return address
	}
	return network.String()
}

// store keeps the sessions of scs in the session table.
type store struct{ sessions *account.Sessions }

// FindCtx returns the data of the session with the secret.
func (st *store) FindCtx(ctx context.Context, secret string) ([]byte, bool, error) {
	found, ok, err := st.sessions.Find(ctx, secret)
	if ok {
		v := requestInfoOf(ctx)
		v.session, v.secret = found, secret
	}
	return found.Data, ok, err
}

// CommitCtx saves the data under the secret. A session that was found is only updated, because it may have been ended in the
// meantime.
func (st *store) CommitCtx(ctx context.Context, secret string, data []byte, expires time.Time) error {
	person, awaiting, err := peopleIn(data)
	if err != nil {
		return err
	}
	v := requestInfoOf(ctx)
	if secret == v.secret {
		return st.sessions.Update(ctx, secret, person, data)
	}
	return st.sessions.Create(ctx, secret, account.Session{
		Person: person, Awaiting: awaiting, Data: data, Address: v.address, Agent: v.agent, Means: v.means, ExpiresAt: expires,
	})
}

// DeleteCtx ends the session with the secret.
func (st *store) DeleteCtx(ctx context.Context, secret string) error {
	return st.sessions.Delete(ctx, secret)
}

// Find calls FindCtx. scs requires it, but does not call it.
func (st *store) Find(secret string) ([]byte, bool, error) {
	return st.FindCtx(context.Background(), secret)
}

// Commit calls CommitCtx. scs requires it, but does not call it.
func (st *store) Commit(secret string, data []byte, expires time.Time) error {
	return st.CommitCtx(context.Background(), secret, data, expires)
}

// Delete calls DeleteCtx. scs requires it, but does not call it.
func (st *store) Delete(secret string) error { return st.DeleteCtx(context.Background(), secret) }

// peopleIn returns the person whom the data of a session signs in, and the one who must still enter a code.
func peopleIn(data []byte) (person, awaiting id.Person, err error) {
	_, values, err := scs.GobCodec{}.Decode(data)
	if err != nil {
		return id.Person{}, id.Person{}, err
	}
	for key, to := range map[string]*id.Person{personKey: &person, awaitingKey: &awaiting} {
		if text, _ := values[key].(string); text != "" && err == nil {
			*to, err = id.Parse[id.Person](text)
		}
	}
	return person, awaiting, err
}
