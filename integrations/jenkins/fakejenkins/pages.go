package fakejenkins

import (
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/url"
)

// page answers with an HTML page, as Jenkins and Jetty do with all that is not
// an answer to the question.
func page(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/html;charset=utf-8")
	w.WriteHeader(status)
	fmt.Fprintf(w, "<!DOCTYPE html><html><head><title>Jenkins</title></head><body><h1>%d</h1><p>%s</p></body></html>\n",
		status, html.EscapeString(text))
}

func notFound(w http.ResponseWriter) { page(w, http.StatusNotFound, "Not Found") }

// oops is what an uncaught exception gives; it has no X-Error.
func oops(w http.ResponseWriter) {
	page(w, http.StatusInternalServerError, "Oops! A problem occurred while processing the request. Logging ID=5f1c2a3e-8f0e-4c57")
}

// unavailable is HudsonIsLoading and HudsonIsRestarting, or the proxy in front.
func unavailable(w http.ResponseWriter) {
	page(w, http.StatusServiceUnavailable, "Please wait while Jenkins is getting ready to work")
}

// redirect is a 302, whose Location may be relative.
func redirect(w http.ResponseWriter, to string) {
	w.Header().Set("Location", to)
	w.WriteHeader(http.StatusFound)
}

// failure is a hudson.model.Failure (Failure.java).
func failure(w http.ResponseWriter, message string) {
	w.Header().Set("X-Error", message)
	page(w, http.StatusBadRequest, message)
}

// tryPosting is stapler's answer to a GET of a @RequirePOST method.
func tryPosting(w http.ResponseWriter, path string) {
	w.Header().Set("Allow", http.MethodPost)
	page(w, http.StatusMethodNotAllowed, "Form post is required. Try POSTing to "+path)
}

func badToken(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("WWW-Authenticate", `Basic realm="Jenkins"`)
	jetty(w, r, http.StatusUnauthorized, "Invalid password/token for user: anonymous")
}

func noCrumb(w http.ResponseWriter, r *http.Request) {
	jetty(w, r, http.StatusForbidden, "No valid crumb was included in the request")
}

func jetty(w http.ResponseWriter, r *http.Request, status int, reason string) {
	w.Header().Set("Content-Type", "text/html;charset=iso-8859-1")
	w.WriteHeader(status)
	reason = html.EscapeString(reason)
	fmt.Fprintf(w, `<html>
<head>
<meta http-equiv="Content-Type" content="text/html;charset=ISO-8859-1"/>
<title>Error %[1]d %[2]s</title>
</head>
<body><h2>HTTP ERROR %[1]d %[2]s</h2>
<table>
<tr><th>URI:</th><td>%[3]s</td></tr>
<tr><th>STATUS:</th><td>%[1]d</td></tr>
<tr><th>MESSAGE:</th><td>%[2]s</td></tr>
<tr><th>SERVLET:</th><td>Stapler</td></tr>
</table>
<hr/><a href="https://jetty.org/">Powered by Jetty:// 12.0.25</a><hr/>

</body>
</html>
`, status, reason, html.EscapeString(r.URL.Path))
}

// loginNeeded is not a redirect, but a page that has one
// (HudsonAuthenticationEntryPoint.java).
func loginNeeded(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "text/html;charset=utf-8")
	h.Set("X-You-Are-Authenticated-As", nobody)
	h.Set("X-Required-Permission", "hudson.model.Hudson.Read")
	h.Add("X-Permission-Implied-By", "hudson.security.Permission.GenericRead")
	h.Add("X-Permission-Implied-By", "hudson.model.Hudson.Administer")
	to := "/login?from=" + url.QueryEscape(r.URL.Path)
	w.WriteHeader(http.StatusForbidden)
	fmt.Fprintf(w, `<html><head><meta http-equiv='refresh' content='1;url=%[1]s'/><script id='redirect' data-redirect-url='%[1]s' src=''></script></head>`+
		`<body style='background-color:white; color:white;'>


Authentication required
<!--
You are authenticated as: anonymous
Groups that you are in:

Permission you need to have (but didn't): hudson.model.Hudson.Read
 ... which is implied by: hudson.security.Permission.GenericRead
 ... which is implied by: hudson.model.Hudson.Administer
-->

</body></html>
`, to)
}

// denied is AccessDeniedException3.java's answer to somebody who is known.
func denied(w http.ResponseWriter, user, permission, id string) {
	h := w.Header()
	h.Set("X-You-Are-Authenticated-As", user)
	h.Set("X-Required-Permission", id)
	h.Add("X-Permission-Implied-By", "hudson.model.Hudson.Administer")
	page(w, http.StatusForbidden, user+" is missing the "+permission+" permission")
}

func (q *request) write(v any) {
	h := q.w.Header()
	h.Set("Content-Type", "application/json;charset=utf-8")
	if err := json.NewEncoder(q.w).Encode(v); err != nil {
		panic(err) // unreachable: v holds nothing but plain data
	}
}
