# `make` alone lists what can be done.
.PHONY: help deps run test check protos docs sqlx chaos chaos-planted bench

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' Makefile
deps: ## Install what this machine lacks (PostgreSQL, nats-server)
	@deploy/install.sh
run: ## Build and start a stack of one's own with the Mali scenario; Ctrl-C stops it
	@deploy/run.sh
test: ## Run every test
	@deploy/test.sh
check: ## Format, lints, SQL and tests: what must hold before a change lands
	@.ci/run
protos: ## Lint proto/, and compare it with the last release: nothing changes on which others rely
	@deploy/protos.sh
docs: ## Write the pages of docs/ that come from proto/ (errors, reference)
	@WRITE_DOCS=1 cargo test --locked --quiet --package contracts --test it
sqlx: ## Check all SQL against a real database and write the .sqlx folders
	@deploy/sqlx.sh
chaos: ## Break services and servers at random under load, and judge from the outside (CHAOS_SECONDS, CHAOS_SEED)
	@deploy/chaos.sh
chaos-planted: ## Show that the judge of `make chaos` catches faults that are planted in a copy
	@deploy/chaos-planted.sh
bench: ## Measure beside peers and limits: ROWS=P1,P2 QUICK=1 VERBOSE=1 (docs/benchmarks.md)
	@deploy/bench.sh
