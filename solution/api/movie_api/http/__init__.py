"""What all endpoints share of HTTP; knows no feature and no database."""
