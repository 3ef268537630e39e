"""Where results go when nobody sits at the terminal. The only part of auditor that writes to AWS.

store      a directory or a prefix of a bucket
lake       the findings feed: dated files, and what is latest
notify     who is told of what changed
push       findings into Security Hub
"""
