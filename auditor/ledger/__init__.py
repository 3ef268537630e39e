"""The ledger: what runs found, in one SQLite file that grows by what changes.

layout     the tables, opening, locking, migration
fate       what a run can tell of a finding that it did not give
record     a report becomes a run in the ledger, and each finding gets its state
history    runs, findings and their changes read back, as the feed's shapes
current    findings of one moment as columns in memory: filters, counts and text search
events     what happened to findings in a run, and to one of them over time
"""
