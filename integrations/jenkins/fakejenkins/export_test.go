package fakejenkins

// Routes lists the calls of the routing tables.
func Routes() (calls []string) {
	for prefix, routes := range map[string][]route{"": rootRoutes, "job/…/": jobRoutes, "job/…/N/": runRoutes} {
		for _, rt := range routes {
			calls = append(calls, rt.method+" "+prefix+rt.path)
		}
	}
	return calls
}
