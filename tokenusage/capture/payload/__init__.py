"""What requests and responses say of a call: from the bodies of every API to a record's fields."""
