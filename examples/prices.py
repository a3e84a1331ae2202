def reduced(price, step):
    if price % 2 == 0:
        return price - step
    return price


def main():
    total = 0
    for price in [12, 7]:
        total += reduced(price, 3)
    return total
