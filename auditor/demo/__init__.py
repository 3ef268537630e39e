"""The embedded demo account: moto plus what moto lacks. Nothing here imports the collectors or the rules.

gaps       the one place that answers for AWS where moto does not; `install()` puts it on a session
account    the seeds: `build(now)` gives the account, `demo_session(account)` a boto3 session over it
wire       the same answers over HTTP, before moto's own server
"""
