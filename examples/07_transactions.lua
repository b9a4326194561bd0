-- All or nothing: an error rolls back, and goes on as it was.
local tombstone = require "tombstone"
local f, F = tombstone.field, tombstone.F

local db = tombstone.open ":memory:"
local Account = db:model("Account", {
  owner = f.text { unique = true },
  cents = f.integer { default = 0, check = "cents >= 0" },
}, { order_by = "owner" })
db:create_tables()
Account:create { owner = "ana", cents = 500 }
Account:create { owner = "ben" }

local function pay(from, to, cents)
  return db:transaction(function()
    Account.objects:filter({ owner = to }):update { cents = F "cents" + cents }
    Account.objects:filter({ owner = from }):update { cents = F "cents" - cents }
    return cents .. " paid"
  end)
end

local function show()
  for account in Account.objects:each() do
    print(account.owner, account.cents)
  end
end

print(pay("ana", "ben", 200)) --> 200 paid
local _, err = pcall(pay, "ana", "ben", 400) -- more than there is: ben must not have it
print(err.kind, err.constraint) --> integrity  check
show() --> ana  300
--> ben  200

-- A nested call is a savepoint: its failure need not be the outer one's.
local lost
db:transaction(function()
  db:after_commit(function() print "committed" end)
  Account:create { owner = "eve", cents = 1 }
  print(pcall(db.transaction, db, function()
    lost = Account:create { owner = "nobody" }
    error("changed my mind", 0)
  end)) --> false  changed my mind
end) --> committed
show() --> ana  300
--> ben  200
--> eve  1
_, err = pcall(lost.save, lost)
print(err) --> The row was created in a transaction that was rolled back
