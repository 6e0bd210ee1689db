package console

import (
	"net/http"
	"slices"
)

// access says who may use a route.
type access uint8

const (
	anyone   access = iota + 1 // signed in or not
	signedIn                   // everyone who is signed in
	member                     // members of {workspace_id}
	owner                      // owners of {workspace_id}
	operator                   // people who manage the whole installation
)

// handler answers a request. fail writes the error that it returns.
type handler func(s *server, w http.ResponseWriter, r *http.Request) error

// route is a page, or the target of a form or a script.
type route struct {
	method, path string // the path is below basePath
	access       access
	handler      handler
}

// routes returns every route of the console except the assets.
func routes() []route { return slices.Concat(accountRoutes(), workspaceRoutes(), operatorRoutes()) }

// accountRoutes are the routes of people, sessions, workspaces and members.
func accountRoutes() []route {
	return []route{
		{http.MethodGet, "/{$}", signedIn, (*server).home},
		{http.MethodGet, "/tokens", signedIn, (*server).tokens},
		{http.MethodGet, "/sign-in", anyone, (*server).signInPage},
		{http.MethodPost, "/sign-in", anyone, (*server).signIn},
		{http.MethodGet, "/sign-in/code", anyone, (*server).codePage},
		{http.MethodPost, "/sign-in/code", anyone, (*server).enterCode},
		{http.MethodPost, "/sign-in/code/passkey/begin", anyone, (*server).beginPasskeyForCode},
		{http.MethodPost, "/sign-in/passkey", anyone, (*server).signInWithPasskey},
		{http.MethodPost, "/sign-in/passkey/begin", anyone, (*server).beginPasskeySignIn},
		{http.MethodGet, "/sign-in/oidc", anyone, (*server).startProviderSignIn},
		{http.MethodGet, "/sign-in/oidc/callback", anyone, (*server).finishProviderSignIn},
		{http.MethodGet, "/forgot-password", anyone, (*server).forgotPage},
		{http.MethodPost, "/forgot-password", anyone, (*server).forgot},
		{http.MethodPost, "/sign-out", anyone, (*server).signOut},
		{http.MethodGet, "/join", anyone, (*server).joinPage},
		{http.MethodPost, "/join", anyone, (*server).join},

		{http.MethodGet, "/palette", signedIn, (*server).palette},

		{http.MethodGet, "/account", signedIn, (*server).account},
		{http.MethodPost, "/account/profile", signedIn, (*server).changeProfile},
		{http.MethodGet, "/account/email", signedIn, (*server).emailPage},
		{http.MethodPost, "/account/email", signedIn, (*server).confirmEmail},
		{http.MethodPost, "/account/password", signedIn, (*server).changePassword},
		{http.MethodGet, "/account/two-factor", signedIn, (*server).twoFactorPage},
		{http.MethodPost, "/account/two-factor/begin", signedIn, (*server).beginTwoFactor},
		{http.MethodPost, "/account/two-factor/cancel", signedIn, (*server).cancelTwoFactor},
		{http.MethodPost, "/account/two-factor/enable", signedIn, (*server).enableTwoFactor},
		{http.MethodPost, "/account/two-factor/codes", signedIn, (*server).replaceRecoveryCodes},
		{http.MethodPost, "/account/two-factor/disable", signedIn, (*server).disableTwoFactor},
		{http.MethodPost, "/account/two-factor/passkeys", signedIn, (*server).enablePasskeysAfterPassword},
		{http.MethodPost, "/account/two-factor/passkeys/begin", signedIn, (*server).beginPasskeyProof},
		{http.MethodGet, "/account/passkeys", signedIn, (*server).passkeysPage},
		{http.MethodPost, "/account/passkeys", signedIn, (*server).addPasskey},
		{http.MethodPost, "/account/passkeys/begin", signedIn, (*server).beginAddPasskey},
		{http.MethodPost, "/account/passkeys/{passkey_id}/rename", signedIn, (*server).renamePasskey},
		{http.MethodPost, "/account/passkeys/{passkey_id}/remove", signedIn, (*server).removePasskey},
		{http.MethodPost, "/account/sessions/end-others", signedIn, (*server).endOtherSessions},
		{http.MethodPost, "/account/sessions/{session_id}/end", signedIn, (*server).endSession},

		{http.MethodGet, "/workspaces", signedIn, (*server).workspaces},
		{http.MethodPost, "/workspaces", operator, (*server).createWorkspace},
		{http.MethodPost, "/workspaces/{id}/own", operator, (*server).ownWorkspace},

		{http.MethodGet, "/w/{workspace_id}/members", member, (*server).members},
		{http.MethodPost, "/w/{workspace_id}/leave", member, (*server).leave},
		{http.MethodPost, "/w/{workspace_id}/invitations", owner, (*server).invite},
		{http.MethodPost, "/w/{workspace_id}/invitations/{invitation_id}/withdraw", owner, (*server).withdraw},
		{http.MethodPost, "/w/{workspace_id}/members/{person_id}/role", owner, (*server).setRole},
		{http.MethodPost, "/w/{workspace_id}/members/{person_id}/budget", owner, (*server).setMemberBudget},
		{http.MethodPost, "/w/{workspace_id}/members/{person_id}/remove", owner, (*server).removeMember},
		{http.MethodGet, "/w/{workspace_id}/audit", owner, (*server).showAudit},
	}
}

// workspaceRoutes are the routes of what a workspace searches, keeps, buys and pays.
func workspaceRoutes() []route {
	const w = "/w/{workspace_id}"
	return []route{
		{http.MethodGet, w, member, (*server).workspaceHome},
		{http.MethodGet, w + "/settings", owner, (*server).settings},
		{http.MethodPost, w + "/settings/name", owner, (*server).renameWorkspace},
		{http.MethodPost, w + "/settings/columns", owner, (*server).setExportColumns},
		{http.MethodPost, w + "/settings/tokens", owner, (*server).setUnbudgetedTokens},
		{http.MethodPost, w + "/settings/delete", owner, (*server).deleteWorkspace},
		{http.MethodPost, w + "/welcome/close", member, (*server).endWelcome},
		{http.MethodGet, w + "/search", member, tidy(notingSearch((*server).searchPage))},
		{http.MethodGet, w + "/search/complete", member, (*server).complete},
		{http.MethodGet, w + "/search/values/{facet}", member, tidy((*server).facetValues)},
		{http.MethodGet, w + "/search/sets", member, tidy((*server).chooseSets)},
		{http.MethodGet, w + "/compare", member, tidy((*server).compareSets)},
		{http.MethodGet, w + "/pivot", member, tidy((*server).pivotPage)},
		{http.MethodGet, w + "/pivot/csv", member, (*server).pivotCSV},
		{http.MethodPost, w + "/search/picked", member, (*server).usePicked},
		{http.MethodPost, w + "/search/columns", member, (*server).chooseColumns},
		{http.MethodPost, w + "/searches", member, (*server).saveSearch},
		{http.MethodPost, w + "/searches/{search_id}", member, (*server).changeSearch},
		{http.MethodPost, w + "/searches/{search_id}/delete", member, (*server).deleteSearch},
		{http.MethodGet, w + "/companies/{company_id}", member, (*server).showCompany},
		{http.MethodPost, w + "/companies/{company_id}/list", member, (*server).addCompany},

		{http.MethodGet, w + "/lists", member, (*server).listLists},
		{http.MethodPost, w + "/lists", member, (*server).createList},
		{http.MethodGet, w + "/lists/{list_id}", member, (*server).showList},
		{http.MethodPost, w + "/lists/{list_id}/rename", member, (*server).renameList},
		{http.MethodPost, w + "/lists/{list_id}/exclusion", member, (*server).excludeList},
		{http.MethodPost, w + "/lists/{list_id}/delete", member, (*server).deleteList},
		{http.MethodPost, w + "/lists/{list_id}/matches", member, (*server).matchForList},
		{http.MethodGet, w + "/lists/{list_id}/matches/{match_id}", member, (*server).showMatch},
		{http.MethodPost, w + "/lists/{list_id}/matches/{match_id}", member, (*server).chooseDoubles},
		{http.MethodPost, w + "/lists/{list_id}/remove", member, (*server).removeFromList},
		{http.MethodPost, w + "/lists/{list_id}/companies", member, (*server).addToList},
		{http.MethodPost, w + "/lists/{list_id}/restore", member, (*server).restoreList},

		{http.MethodGet, w + "/match", member, (*server).newMatch},
		{http.MethodPost, w + "/match", member, (*server).matchList},
		{http.MethodGet, w + "/match/{match_id}", member, (*server).showMatchResult},
		{http.MethodPost, w + "/match/{match_id}/choose", member, (*server).chooseMatches},
		{http.MethodPost, w + "/match/{match_id}/list", member, (*server).listMatch},

		{http.MethodPost, w + "/exports/{export_id}/deliver", member, (*server).deliverExport},
		{http.MethodGet, w + "/presets", member, (*server).listPresets},
		{http.MethodPost, w + "/presets", member, (*server).createPreset},
		{http.MethodPost, w + "/presets/{preset_id}", member, (*server).changePreset},
		{http.MethodPost, w + "/presets/{preset_id}/delete", member, (*server).deletePreset},
		{http.MethodGet, w + "/destinations", owner, (*server).listDestinations},
		{http.MethodPost, w + "/destinations", owner, (*server).createDestination},
		{http.MethodGet, w + "/destinations/{destination_id}", owner, (*server).showDestination},
		{http.MethodPost, w + "/destinations/{destination_id}", owner, (*server).changeDestination},
		{http.MethodPost, w + "/destinations/{destination_id}/test", owner, (*server).testDestination},
		{http.MethodPost, w + "/destinations/{destination_id}/delete", owner, (*server).deleteDestination},
		{http.MethodGet, w + "/orders", member, (*server).listOrders},
		{http.MethodPost, w + "/orders", member, (*server).createOrder},
		{http.MethodGet, w + "/orders/new", member, tidy((*server).newOrder)},
		{http.MethodGet, w + "/orders/{order_id}", member, (*server).showOrder},
		{http.MethodPost, w + "/orders/{order_id}", member, (*server).changeOrder},
		{http.MethodPost, w + "/orders/{order_id}/run", member, (*server).runOrder},
		{http.MethodPost, w + "/orders/{order_id}/pause", member, (*server).pauseOrder},
		{http.MethodPost, w + "/orders/{order_id}/resume", member, (*server).resumeOrder},
		{http.MethodPost, w + "/orders/{order_id}/delete", member, (*server).deleteOrder},

		{http.MethodGet, w + "/exports", member, (*server).exportHistory},
		{http.MethodPost, w + "/exports", member, (*server).buyExport},
		{http.MethodGet, w + "/exports/new", member, (*server).newExport},
		{http.MethodPost, w + "/quotes", member, (*server).createQuote},
		{http.MethodGet, w + "/quotes", member, (*server).newQuote},
		{http.MethodGet, w + "/quotes/{quote_id}", member, (*server).showQuote},
		{http.MethodGet, w + "/exports/{export_id}", member, (*server).showExport},
		{http.MethodGet, w + "/exports/{export_id}/events", member, (*server).exportEvents},
		{http.MethodGet, w + "/exports/{export_id}/download", member, (*server).downloadExport},
		{http.MethodGet, w + "/exports/{export_id}/receipt", member, (*server).exportReceipt},
		{http.MethodPost, w + "/exports/{export_id}/cancel", member, (*server).cancelExport},

		{http.MethodGet, w + "/credits", member, (*server).showCredits},

		{http.MethodGet, w + "/notifications", member, (*server).showNotifications},
		{http.MethodPost, w + "/notifications", member, (*server).setNotifications},
		{http.MethodPost, w + "/notifications/low", owner, (*server).setLow},

		{http.MethodGet, w + "/webhooks", owner, (*server).listWebhooks},
		{http.MethodPost, w + "/webhooks", owner, (*server).createWebhook},
		{http.MethodGet, w + "/webhooks/{webhook_id}", owner, (*server).showWebhook},
		{http.MethodPost, w + "/webhooks/{webhook_id}", owner, (*server).changeWebhook},
		{http.MethodPost, w + "/webhooks/{webhook_id}/enabled", owner, (*server).enableWebhook},
		{http.MethodPost, w + "/webhooks/{webhook_id}/rotate", owner, (*server).rotateWebhook},
		{http.MethodPost, w + "/webhooks/{webhook_id}/test", owner, (*server).testWebhook},
		{http.MethodPost, w + "/webhooks/{webhook_id}/delete", owner, (*server).deleteWebhook},
		{http.MethodPost, w + "/webhooks/{webhook_id}/deliveries/{delivery_id}/replay", owner, (*server).replayDelivery},

		{http.MethodGet, w + "/tokens", member, (*server).listTokens},
		{http.MethodPost, w + "/tokens", member, (*server).createToken},
		{http.MethodGet, w + "/tokens/{token_id}", member, (*server).showToken},
		{http.MethodPost, w + "/tokens/{token_id}/revoke", member, (*server).revokeToken},
		{http.MethodPost, w + "/tokens/{token_id}/rotate", member, (*server).rotateToken},
		{http.MethodPost, w + "/tokens/{token_id}/budget", member, (*server).setBudget},
		{http.MethodPost, w + "/tokens/{token_id}/daily", member, (*server).setTokenDaily},
	}
}

// operatorRoutes are the routes of the installation.
func operatorRoutes() []route {
	return []route{
		{http.MethodGet, "/operator", operator, (*server).operatorPage},
		{http.MethodPost, "/operator/workspaces/{id}/grants", operator, (*server).grantCredits},
		{http.MethodGet, "/operator/workspaces/{id}/wall", operator, (*server).wallPage},
		{http.MethodPost, "/operator/workspaces/{id}/wall", operator, (*server).setWall},
		{http.MethodGet, "/operator/people", operator, (*server).peoplePage},
		{http.MethodGet, "/operator/people/{person_id}", operator, (*server).personPage},
		{http.MethodPost, "/operator/people/{person_id}/operator", operator, (*server).setOperator},
		{http.MethodPost, "/operator/people/{person_id}/email", operator, (*server).answerEmail},
		{http.MethodPost, "/operator/people/{person_id}/sessions/end", operator, (*server).endSessionsOf},
		{http.MethodPost, "/operator/people/{person_id}/two-factor/reset", operator, (*server).resetTwoFactor},
		{http.MethodPost, "/operator/people/{person_id}/passkeys/reset", operator, (*server).resetPasskeys},
		{http.MethodPost, "/operator/people/{person_id}/remove", operator, (*server).removePerson},
		{http.MethodGet, "/operator/imports", operator, (*server).importsPage},
		{http.MethodGet, "/operator/audit", operator, (*server).showInstallationAudit},
		{http.MethodGet, "/operator/imports/{number}", operator, (*server).showImport},
		{http.MethodGet, "/operator/imports/{number}/events", operator, (*server).importEvents},
		{http.MethodPost, "/operator/imports/{number}/undo", operator, (*server).undoImport},
		{http.MethodGet, "/operator/uploads/new", operator, (*server).newUpload},
		{http.MethodGet, "/operator/uploads/{upload_id}", operator, (*server).showUpload},
		{http.MethodGet, "/operator/uploads/{upload_id}/events", operator, (*server).uploadEvents},
		{http.MethodGet, "/operator/uploads/{upload_id}/plan", operator, (*server).downloadPlan},
		{http.MethodGet, "/operator/uploads/{upload_id}/rejects", operator, (*server).downloadRejects},
		{http.MethodPost, uploadPath, operator, (*server).receiveFiles},
		{http.MethodPost, "/operator/uploads/{upload_id}/plan", operator, (*server).planUpload},
		{http.MethodPost, "/operator/uploads/{upload_id}/import", operator, (*server).importUpload},
		{http.MethodPost, "/operator/uploads/{upload_id}/stop", operator, (*server).stopUpload},
		{http.MethodPost, "/operator/uploads/{upload_id}/delete", operator, (*server).deleteUpload},
		{http.MethodGet, "/operator/doctor", operator, (*server).doctorPage},
		{http.MethodPost, "/operator/doctor", operator, (*server).examine},
		{http.MethodGet, "/operator/doctor/events", operator, (*server).doctorEvents},
	}
}
